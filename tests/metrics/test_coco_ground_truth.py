"""Annotation files that pycocotools would score wrongly without a word, and agreement with what a dataset gives."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ppdet.core.errors import DataError
from ppdet.data.sources.coco_top_down import KeypointTopDownCocoDataset
from ppdet.metrics.coco_keypoint import KeyPointTopDownCOCOEval

SKELETON = {"name": "stick", "keypoints": ["top", "middle", "bottom"]}


def content(persons: int = 6) -> dict[str, Any]:
    """One image of 100 x 90 for each two persons."""
    annotations = []
    for number in range(persons):
        left = 40 * (number % 2)
        points = np.array([[10 + left, 10, 2], [20 + left, 40, 2], [15 + left, 80, 1]])
        annotations.append(
            {"id": number + 1, "image_id": number // 2, "category_id": 1, "bbox": [5 + left, 5, 30, 80], "area": 1300.0,
             "iscrowd": 0, "keypoints": points.reshape(-1).tolist()}
        )  # fmt: skip
    images = [{"id": i, "file_name": f"{i}.png", "width": 100, "height": 90} for i in range((persons + 1) // 2)]
    return {"images": images, "categories": [{"id": 1, "name": "x", "keypoints": ["a"] * 3}], "annotations": annotations}


def perfect_ap(folder: Path, data: dict[str, Any], category: Any = None, offset: float = 0.0) -> KeyPointTopDownCOCOEval:
    """The metric after every person that the dataset gives was predicted exactly, or up to `offset` pixels off."""
    (folder / "truth.json").write_text(json.dumps(data))
    for image in data["images"]:
        cv2.imwrite(str(folder / image["file_name"]), np.zeros((90, 100, 3), np.uint8))
    dataset = KeypointTopDownCocoDataset(str(folder), "", "truth.json", 3, [96, 128], category=category)
    samples = [dataset.describe(i) for i in range(len(dataset))]
    metric = KeyPointTopDownCOCOEval(folder / "truth.json", skeleton=SKELETON, category=category)
    shift = np.linspace(0, offset, len(samples))
    metric.update(
        {
            "image_id": np.array([s.image_id for s in samples]),
            "category_row": np.array([s.category_row for s in samples]),
            "keypoints": np.array([np.column_stack([s.xy_image + d, np.ones(3)]) for s, d in zip(samples, shift)]),
            "box_score": np.ones(len(samples)),
            "area": np.full(len(samples), 2700.0),
        }
    )
    metric.compute()
    return metric


def test_repeated_and_missing_ids_are_numbered_anew_with_a_warning(tmp_path: Path) -> None:
    data = content()
    for annotation in data["annotations"][:4]:
        annotation["id"] = 0
    metric = perfect_ap(tmp_path, data)
    assert metric.stats["AP"] == pytest.approx(1.0)
    assert "4 object(s) that share their `id`" in metric.report()
    for annotation in data["annotations"]:
        del annotation["id"]
    metric = perfect_ap(tmp_path, data)
    assert metric.stats["AP"] == pytest.approx(1.0) and "6 object(s) without `id`" in metric.report()
    for number, annotation in enumerate(data["annotations"]):  # pycocotools takes a match with id 0 for none
        annotation["id"] = number
    metric = perfect_ap(tmp_path, data)
    assert metric.stats["AP"] == pytest.approx(1.0) and metric.ground_truth.notes == []


@pytest.mark.parametrize(
    "key, value, told",
    [
        ("area", 0, "with an `area` of 0 or less: ignored"),
        ("keypoints", [0.2, 0.3, 2] * 3, "fractions of the image, from 0 to 1, instead of pixels: ignored"),
        ("area", "big", "with an `area` that is not a finite number: ignored"),
        ("bbox", [5, 5, 0, 80], "without extent or outside its image: ignored"),
        ("bbox", [500, 5, 30, 80], "without extent or outside its image: ignored"),
        ("bbox", [5, 5, None, 80], "not four finite numbers: ignored"),
        ("bbox", [5, 5, 30], "not four finite numbers: ignored"),
        ("keypoints", [1, 1, 2] * 4, "with 4 keypoints instead of 3: ignored"),
        ("keypoints", [float("nan"), 1, 2] * 3, "with keypoints that are not finite numbers: ignored"),
        ("keypoints", [0] * 9, None),
        ("iscrowd", 1, None),
        ("area", None, "0.53 x box area"),
        ("bbox", None, "extent of their keypoints"),
        ("category_id", None, None),
    ],
)
def test_what_the_dataset_leaves_out_is_not_missed(tmp_path: Path, key: str, value: Any, told: str | None) -> None:
    data = content()
    for number in (0, 3):
        data["annotations"][number][key] = copy.deepcopy(value)
        if value is None:
            del data["annotations"][number][key]
    metric = perfect_ap(tmp_path, data)
    assert metric.stats["AP"] == pytest.approx(1.0) and metric.stats["AR"] == pytest.approx(1.0)
    if told is None:
        assert metric.ground_truth.notes == []
    else:
        assert f"2 object(s) {told[:4]}" in metric.report() or told in metric.report()
        assert told in metric.report()


def test_a_prediction_on_an_ignored_person_is_no_false_alarm(tmp_path: Path) -> None:
    data = content()
    data["annotations"][0]["area"] = 0
    metric = perfect_ap(tmp_path, data)
    points = np.array(content()["annotations"][0]["keypoints"], float).reshape(1, 3, 3)
    points[..., 2] = 2.0  # scored above all others
    metric.update({"image_id": np.array([0]), "keypoints": points, "box_score": np.ones(1), "area": np.full(1, 2700.0)})
    assert metric.compute()["AP"] == pytest.approx(1.0)


def test_only_a_file_of_nothing_but_other_skeletons_is_refused(tmp_path: Path) -> None:
    data = content()
    for annotation in data["annotations"]:
        annotation["keypoints"] = [1, 1, 2] * 4
    (tmp_path / "truth.json").write_text(json.dumps(data))
    with pytest.raises(DataError, match="annotation 1 has 12 keypoint values, expected 3 x 3"):
        KeyPointTopDownCOCOEval(tmp_path / "truth.json", skeleton=SKELETON)


def test_annotations_without_image_are_left_out(tmp_path: Path) -> None:
    data = content()
    data["annotations"].append({"id": 9, "keypoints": [1, 1, 2] * 3, "bbox": [1, 1, 5, 5]})
    metric = perfect_ap(tmp_path, data)
    assert metric.stats["AP"] == pytest.approx(1.0) and "1 object(s) without image_id" in metric.report()


def test_figures_do_not_depend_on_how_people_are_divided_into_categories(tmp_path: Path) -> None:
    def figures(data: dict[str, Any], category: Any = None) -> tuple[dict[str, float], list[Any]]:
        metric = perfect_ap(tmp_path, data, category, offset=6.0)
        return metric.stats, [entry["category_id"] for entry in metric.results()]

    whole, own = figures(content())
    assert 0.1 < whole["AP"] < 1 and own == [1] * 6
    data = content()
    data["categories"] = [{"id": i, "name": n, "keypoints": ["a"] * 3} for i, n in ((7, "pig"), (2, "sheep"), ("x", "cow"))]
    for number, annotation in enumerate(data["annotations"]):
        annotation["category_id"] = (7, 2, "x")[number % 3]
    divided, own = figures(data)
    assert divided == whole and own == [a["category_id"] for a in data["annotations"]]
    part, own = figures(data, ["sheep", "x"])
    assert own == [2, "x", 2, "x"] and part["AP"] > 0.1
    assert figures(data, "pig")[1] == [7, 7]
    with pytest.raises(DataError, match="no category 'goat'"):
        figures(data, "goat")


@pytest.mark.parametrize("declared", [None, [], [{"name": "x", "keypoints": ["a"] * 3}], ["x"]])
def test_nothing_falls_back_to_category_1(tmp_path: Path, declared: Any) -> None:
    data = content()
    data["categories"] = declared
    for annotation in data["annotations"]:
        annotation["category_id"] = 5
    metric = perfect_ap(tmp_path, data)
    assert metric.stats["AP"] == pytest.approx(1.0) and {entry["category_id"] for entry in metric.results()} == {5}


def test_results_of_a_category_that_is_not_evaluated_do_not_count(tmp_path: Path) -> None:
    data = content()
    data["categories"] = [{"id": i, "name": str(i), "keypoints": ["a"] * 3} for i in (1, 2)]
    metric = perfect_ap(tmp_path, data, "1")
    wrong = [{**entry, "category_id": 2, "score": 9.0, "keypoints": [0.0, 0.0, 1.0] * 3} for entry in metric.results()]
    assert metric.score([*metric.results(), *wrong])["AP"] == pytest.approx(1.0)
    other = [{**entry, "category_id": 99} for entry in metric.results()]  # a number of another program's
    assert metric.score(other)["AP"] == pytest.approx(1.0)


@pytest.mark.parametrize("kind", [str, float, lambda i: f"{i:06d}", lambda i: i + 2**66, lambda i: f"img_{i}" if i % 2 else i])
@pytest.mark.parametrize("both", [True, False])
def test_ids_of_every_kind(tmp_path: Path, kind: Any, both: bool) -> None:
    data = content()
    for image in data["images"]:
        image["id"] = kind(image["id"])
    for annotation in data["annotations"]:
        wanted = kind(annotation["image_id"])
        number = isinstance(wanted, int) or (isinstance(wanted, str) and wanted.isdigit())
        annotation["image_id"] = wanted if both or not number else int(wanted) if isinstance(wanted, str) else str(wanted)
    metric = perfect_ap(tmp_path, data)
    assert metric.stats["AP"] == pytest.approx(1.0) and metric.ground_truth.notes == []
    wanted_ids = [int(i["id"]) if isinstance(i["id"], float) else i["id"] for i in data["images"]]
    assert sorted({str(entry["image_id"]) for entry in metric.results()}) == sorted(map(str, wanted_ids))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("keypoints", [10, 10, 2, None, None, 0, 15, 80, 1]),
        ("keypoints", [10, 10, 2, float("nan"), float("nan"), 0, 15, 80, 1]),
        ("keypoints", [10, 10, 2, 1e300, -5, 0, 15, 80, 1]),
        ("keypoints", [[10, 10, 2], [20, 40, 2], [15, 80, 1]]),
        ("iscrowd", "0"),
        ("area", "1300.0"),
        ("category_id", "1"),
        ("bbox", ["5", "5", "30", "80"]),
        ("bbox", [0, 0, 0, 0]),
    ],
)
def test_persons_written_in_another_way_count(tmp_path: Path, key: str, value: Any) -> None:
    data = content()
    data["annotations"][0][key] = value
    metric = perfect_ap(tmp_path, data)
    assert metric.stats["AP"] == pytest.approx(1.0)
    assert sum(a["num_keypoints"] > 0 and not a["iscrowd"] for a in metric.ground_truth.coco.dataset["annotations"]) == 6
    assert len(metric.results()) == 6


def test_persons_listed_twice_are_told(tmp_path: Path) -> None:
    data = content()
    data["annotations"] += copy.deepcopy(data["annotations"])
    (tmp_path / "truth.json").write_text(json.dumps(data))
    metric = KeyPointTopDownCOCOEval(tmp_path / "truth.json", skeleton=SKELETON)
    assert "6 object(s) listed twice: the second counts as missed" in " ".join(metric.notes())


def test_keypoints_that_coincide_are_named(tmp_path: Path) -> None:
    data = content(24)
    metric = perfect_ap(tmp_path, data)
    assert not any("coincide" in note for note in metric.notes())
    results = metric.results()
    for entry in results:
        entry["keypoints"][3:5] = entry["keypoints"][6:8] = [17.0, 60.0]
    metric.score(results)
    (note,) = [note for note in metric.notes() if "coincide" in note]
    assert note.startswith("middle and bottom coincide in 24 of 24 predictions, and are 40 pixels apart")
    assert "flip: false" in note
