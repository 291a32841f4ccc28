"""Figures by plain names, from samples with their truth and from result files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ppdet.core.errors import ConfigError, DataError
from ppdet.metrics.landmarks.keypoint_scores import KeypointScores

SKELETON = {"name": "stick", "keypoints": ["head", "tail"]}
POSES = {1: [(10.0, 10.0), (30.0, 10.0)], 2: [(60.0, 50.0), (80.0, 50.0)], 3: [(20.0, 20.0), (20.0, 44.0)]}
IMAGES = {1: "a", 2: "a", 3: "b"}


def write_truth(folder: Path, spacing: Any = None) -> Path:
    """Two objects in image "a" (20 px long in boxes of 40 x 20), one in image "b"."""
    annotations = []
    for number, pose in POSES.items():
        x, y = pose[0]
        annotations.append(
            {"id": number, "image_id": IMAGES[number], "category_id": 1, "bbox": [x - 10, y - 10, 40, 20], "area": 400.0,
             "iscrowd": 0, "num_keypoints": 2, "keypoints": [value for xy in pose for value in (*xy, 2)]}
        )  # fmt: skip
    images = [{"id": name, "file_name": f"{name}.png", "width": 100, "height": 80} for name in "ab"]
    for image, value in zip(images, spacing or ()):
        image["pixel_spacing"] = value
    categories = [{"id": 1, "name": "stick", "keypoints": ["head", "tail"]}]
    path = folder / "truth.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return path


def samples(offset: float = 0.0, numbers: tuple[int, ...] = (1, 2, 3)) -> dict[str, np.ndarray]:
    """Predictions with truth, `offset` pixels to the right."""
    truth = np.array([POSES[number] for number in numbers])
    count = len(numbers)
    xy = truth + [offset, 0]
    return {
        "image_id": np.array([IMAGES[number] for number in numbers]), "index": np.array(numbers), "box_score": np.ones(count),
        "keypoints": np.concatenate([xy, np.ones((count, 2, 1))], axis=2), "area": np.full(count, 800.0),
        "size_wh": np.full((count, 2), 60.0), "truth_xy": truth, "visible": np.ones((count, 2)),
        "box_wh": np.tile([40.0, 20.0], (count, 1)), "object_area": np.full(count, 400.0),
    }  # fmt: skip


def results(offset: float = 0.0, numbers: tuple[int, ...] = (1, 2, 3)) -> list[dict[str, Any]]:
    return [
        {"image_id": IMAGES[number], "category_id": 1, "score": 0.9,
         "keypoints": [value for x, y in POSES[number] for value in (x + offset, y, 0.8)]}
        for number in numbers
    ]  # fmt: skip


def metric(path: Path, names: Any, **options: Any) -> KeypointScores:
    return KeypointScores(path, names, skeleton=SKELETON, **options)


def test_samples_and_result_file_agree(tmp_path: Path) -> None:
    names = ["EPE", "PCK@0.1", "NME", "AP", "AR"]
    first = metric(write_truth(tmp_path), names)
    first.update(samples(3.0))
    figures = first.compute()
    assert list(figures) == names and first.main == "EPE" and not first.higher_is_better
    assert figures["EPE"] == pytest.approx(3) and figures["PCK@0.1"] == 1 and figures["NME"] == pytest.approx(3 / 40)
    assert metric(tmp_path / "truth.json", names).score(results(3.0)) == pytest.approx(figures)


def test_the_report_names_keypoints_and_intervals(tmp_path: Path) -> None:
    scores = metric(write_truth(tmp_path), ["EPE", "PCK"], output_eval=tmp_path / "out", unit=["head", "tail"])
    batch = samples()
    batch["keypoints"][2, 1, 0] += 6
    scores.update(batch)
    scores.compute()
    report = scores.report()
    assert "| tail | 3 | 2.000 |" in report and "the distance of head and tail" in report and "95% bootstrap" in report
    content = json.loads((tmp_path / "out" / "keypoint_scores.json").read_text())
    assert content["keypoints"]["tail"]["EPE"]["value"] == 2 and content["keypoints"]["head"]["EPE"]["interval"] == [0, 0]
    assert content["figures"]["EPE"] == 1


def test_a_missed_object(tmp_path: Path) -> None:
    scores = metric(write_truth(tmp_path), ["EPE", "PCK", "AP"])
    figures = scores.score(results(2.0, (1, 3)))
    assert figures["EPE"] == pytest.approx(2) and figures["PCK"] == pytest.approx(2 / 3) and figures["AP"] < 1
    assert "1 of 3 objects were not found" in scores.report()


def test_two_objects_in_an_image_are_matched_one_to_one(tmp_path: Path) -> None:
    """Both predictions lie nearest to object 2: one of them belongs to object 1 all the same."""
    given = results(0.0, (2, 2, 3))
    given[0]["keypoints"] = [45, 40, 1, 65, 40, 1]
    figures = metric(write_truth(tmp_path), ["EPE"]).score(given)
    assert figures["EPE"] == pytest.approx((2 * np.hypot(35, 30) + 0 + 0) / 6)


def test_millimetres(tmp_path: Path) -> None:
    names = ["MRE", "SD", "SDR"]
    with pytest.raises(ConfigError, match="pixel_spacing"):
        metric(write_truth(tmp_path), names)
    scores = metric(tmp_path / "truth.json", names, pixel_spacing=[9.0, 0.5])  # row, column: the error is along x
    scores.update(samples(4.5))
    figures = scores.compute()
    assert figures == pytest.approx(
        {"MRE": 2.25, "SD": 0, "SDR@2mm": 0, "SDR@2.5mm": 1, "SDR@3mm": 1, "SDR@4mm": 1}, abs=1e-5
    )
    by_image = metric(write_truth(tmp_path, [1.0, [1.0, 2.0]]), names)
    assert by_image.score(results(2.0))["MRE"] == pytest.approx((2 + 2 + 4) / 3)
    with pytest.raises(DataError, match="1 of 2 images"):
        metric(write_truth(tmp_path, [1.0]), names).score(results())


def test_processes_merge(tmp_path: Path) -> None:
    path = write_truth(tmp_path)
    first, second = metric(path, ["EPE", "AP"]), metric(path, ["EPE", "AP"])
    first.update(samples(0.0, (1, 2)))
    second.update(samples(6.0, (2, 3)))
    first.merge([second.state()])
    assert first.compute()["EPE"] == pytest.approx(2)


def test_pckh_needs_a_head(tmp_path: Path) -> None:
    path = write_truth(tmp_path)
    with pytest.raises(ConfigError, match="KeypointScores.head"):
        metric(path, ["PCKh"])
    scores = metric(path, ["PCKh@0.5"], head=["head", "tail"])
    assert scores.score(results(11.0))["PCKh@0.5"] == pytest.approx(1 / 3)  # half of 20, 20 and 24 pixels


def test_without_a_coco_file_samples_are_enough(tmp_path: Path) -> None:
    path = tmp_path / "mpii.json"
    path.write_text("[]")
    scores = metric(path, ["EPE"])
    batch = samples(1.0)
    batch["image_id"] = np.array([7, 7, 8])
    scores.update(batch)
    assert scores.compute() == pytest.approx({"EPE": 1}) and scores.results()[0]["image_id"] == 7
    with pytest.raises(DataError):
        metric(path, ["AP"])
    with pytest.raises(DataError):
        scores.score([])


def test_millimetres_of_dicom_files(tmp_path: Path) -> None:
    """A spacing in the annotation file counts first, the file's own (row, column) otherwise."""
    from support.dicom_files import write_dicom

    truth = write_truth(tmp_path, [2.0])
    content = json.loads(truth.read_text())
    for image in content["images"]:
        image["file_name"] = f"{image['id']}.dcm"
        write_dicom(tmp_path / image["file_name"], np.zeros((80, 100), np.uint16), PixelSpacing=[9, 0.5])
    truth.write_text(json.dumps(content))
    scores = metric(truth, ["MRE"], image_dir=tmp_path)
    scores.update(samples(4.0))
    assert scores.compute()["MRE"] == pytest.approx((2 * 8 + 1 * 2) / 3, abs=1e-5)  # two objects at 2 mm, one at .5 mm
