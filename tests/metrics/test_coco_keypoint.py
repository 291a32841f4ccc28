"""The keypoint metric against published and independently computed figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.shared_data import shared

from ppdet.core.errors import ConfigError, DataError
from ppdet.metrics.coco_keypoint import KeyPointTopDownCOCOEval

VAL2014 = ("coco_val2014_100", "person_keypoints_val2014_100_rebuilt.json")
VAL2017 = ("coco_val2017_250", "val_subset.json")
CROWDPOSE = ("xtcocotools_examples", "example_crowdpose_val.json")
XTCOCO = ("xtcocotools_examples", "example_coco_val.json")


def evaluate(truth: tuple[str, str], result: str, **options: Any) -> KeyPointTopDownCOCOEval:
    """Feed a COCO result file to the metric as if a model had predicted it."""
    metric = KeyPointTopDownCOCOEval(shared("data", "metrics", *truth), **options)
    entries = json.loads(shared("data", "metrics", truth[0], result).read_text())
    keypoints = np.array([e["keypoints"] for e in entries], float).reshape(len(entries), -1, 3)
    keypoints[..., 2] = 1  # so that the person score is the entry's own
    metric.update(
        {
            "image_id": np.array([e["image_id"] for e in entries]),
            "keypoints": keypoints,
            "box_score": np.array([e["score"] for e in entries]),
            "area": np.full(len(entries), 1e4),
        }
    )
    metric.compute()
    return metric


@pytest.mark.parametrize(
    ("truth", "result", "expected"),
    [
        (VAL2014, "person_keypoints_val2014_fakekeypoints100_results.json",
         [0.372, 0.636, 0.348, 0.384, 0.386, 0.514, 0.734, 0.504, 0.508, 0.522]),
        (VAL2017, "detections_beubax.json",
         [0.0737, 0.1962, 0.0398, 0.0236, 0.1473, 0.0951, 0.2401, 0.0699, 0.0225, 0.1908]),
        (VAL2017, "detections_ax642511.json",
         [0.2154, 0.4307, 0.1905, 0.1641, 0.2886, 0.2456, 0.4620, 0.2280, 0.1733, 0.3408]),
    ],
)  # fmt: skip
def test_ten_figures_are_the_published_ones(truth: tuple[str, str], result: str, expected: list[float]) -> None:
    digits = 3 if truth is VAL2014 else 4  # the cocoapi publishes three decimals
    stats = evaluate(truth, result, nms="none").stats
    assert [round(value, digits) for value in stats.values()] == expected


def test_coco_case_of_xtcocotools() -> None:
    stats = evaluate(XTCOCO, "example_coco_preds.json", nms="none").stats
    assert [stats["AP"], stats["AP50"], stats["AP75"]] == pytest.approx([0.8609, 0.9931, 0.9109], abs=1e-4)


def test_fourteen_keypoints_without_areas_as_xtcocotools() -> None:
    """CrowdPose: other sigmas, another number of keypoints, no area in the file."""
    metric = evaluate(CROWDPOSE, "example_crowdpose_preds.json", skeleton="crowdpose14", nms="none")
    figures = [metric.stats[name] for name in ("AP", "AP50", "AP75", "AR", "AR50", "AR75")]
    assert figures == pytest.approx([0.7877, 0.9881, 0.7314, 0.8222, 1.0, 0.7778], abs=1e-4)
    assert "10 object(s) without area" in metric.report()


def test_hard_suppression_does_not_change_distinct_persons_and_soft_does() -> None:
    result = "detections_ax642511.json"
    none = evaluate(VAL2017, result, nms="none").stats["AP"]
    assert evaluate(VAL2017, result, nms="hard").stats["AP"] == pytest.approx(none, abs=1e-4)
    assert 0 < none - evaluate(VAL2017, result, nms="soft").stats["AP"] < 0.01


# --- small own cases ------------------------------------------------------------------------------------------------

SKELETON = {
    "name": "stick",
    "keypoints": [{"name": "top", "sigma": 0.05}, {"name": "middle", "sigma": 0.1}, {"name": "bottom", "sigma": 0.05}],
}
TRUTH = np.array([[10.0, 10, 2], [20, 40, 2], [15, 80, 1]])


def write_truth(folder: Path, **change: Any) -> Path:
    annotation = {"id": 1, "image_id": 7, "category_id": 3, "bbox": [5, 5, 30, 90], "area": 1400.0, "iscrowd": 0,
                  "num_keypoints": 3, "keypoints": TRUTH.reshape(-1).tolist()}  # fmt: skip
    annotation.update(change)
    annotation = {key: value for key, value in annotation.items() if value is not None}
    data = {
        "images": [{"id": 7, "width": 100, "height": 100, "file_name": "a.jpg"}],
        "categories": [{"id": 3, "name": "stick"}],
        "annotations": [annotation],
    }
    path = folder / "truth.json"
    path.write_text(json.dumps(data))
    return path


def one_person(keypoints: np.ndarray, **columns: Any) -> dict[str, np.ndarray]:
    batch = {"image_id": [7], "keypoints": keypoints[None], "box_score": [0.5], "area": [2700.0]}
    return {name: np.asarray(value) for name, value in {**batch, **columns}.items()}


def scored(xy: np.ndarray, *scores: float) -> np.ndarray:
    return np.column_stack([xy[:, :2], scores])


def test_person_score_is_box_score_times_mean_of_confident_keypoints(tmp_path: Path) -> None:
    metric = KeyPointTopDownCOCOEval(write_truth(tmp_path), skeleton=SKELETON)
    metric.update(one_person(scored(TRUTH, 0.9, 0.5, 0.2)))  # .2 is not above .2
    (entry,) = metric.results()
    assert entry["score"] == pytest.approx(0.5 * 0.7)
    assert entry["category_id"] == 3
    metric.reset()
    metric.update(one_person(scored(TRUTH, 0.1, 0.1, 0.1)))
    assert metric.results()[0]["score"] == 0


def test_oks_uses_the_sigmas_of_the_skeleton(tmp_path: Path) -> None:
    """A shift whose OKS by hand lies between .75 and .80 passes exactly six of the ten thresholds."""
    shift = 5.0
    terms = np.exp(-(shift**2) / (8 * np.array([0.05, 0.1, 0.05]) ** 2 * 1400.0))
    assert 0.5 < terms.mean() < 0.95
    metric = KeyPointTopDownCOCOEval(write_truth(tmp_path), skeleton=SKELETON)
    metric.update(one_person(scored(TRUTH + [shift, 0, 0], 1, 1, 1)))
    passed = np.sum(np.arange(0.5, 0.96, 0.05) <= terms.mean())
    assert metric.compute()["AP"] == pytest.approx(passed / 10)
    assert metric.keypoint_scores["similarity"] == pytest.approx(terms)
    assert metric.keypoint_scores["pck"] == pytest.approx([1, 1, 1])


@pytest.mark.parametrize(
    "skeleton, said",
    [
        ({**SKELETON, "sigma_source": "measured twice"}, "measured twice"),
        ({"name": "s", "keypoints": [{"name": "top", "sigma": 0.05}, "middle", "bottom"]}, "stated in skeleton s, the default"),
        ({"name": "s", "keypoints": ["top", "middle", "bottom"]}, "the default 0.0644 for every keypoint"),
    ],
)
def test_the_source_of_the_sigmas_is_said_beside_ap(tmp_path: Path, skeleton: dict[str, Any], said: str) -> None:
    metric = KeyPointTopDownCOCOEval(write_truth(tmp_path), skeleton=skeleton)
    metric.update(one_person(scored(TRUTH, 1, 1, 1)))
    metric.compute()
    assert said in metric.report()


def test_duplicates_of_a_sample_count_once_and_ranks_merge(tmp_path: Path) -> None:
    path = write_truth(tmp_path)
    first, second = (KeyPointTopDownCOCOEval(path, skeleton=SKELETON, nms="none") for _ in range(2))
    batch = one_person(scored(TRUTH, 1, 1, 1), index=[4])
    first.update(batch)
    first.update(batch)
    second.update(batch)
    second.update(one_person(scored(TRUTH + 1, 1, 1, 1), index=[5]))
    first.merge([second.state()])
    assert len(first.results()) == 2
    assert first.compute()["AP"] == pytest.approx(1.0)


def test_repeated_person_is_suppressed(tmp_path: Path) -> None:
    metric = KeyPointTopDownCOCOEval(write_truth(tmp_path), skeleton=SKELETON)
    metric.update(one_person(scored(TRUTH, 1, 1, 1)))
    metric.update(one_person(scored(TRUTH + 0.01, 0.9, 0.9, 0.9)))
    (entry,) = metric.results()
    assert entry["score"] == pytest.approx(0.5)


def test_missing_area_box_and_crowd_flag_are_completed_with_a_warning(tmp_path: Path) -> None:
    path = write_truth(tmp_path, area=None, bbox=None, iscrowd=None, num_keypoints=None)
    metric = KeyPointTopDownCOCOEval(path, skeleton=SKELETON)
    metric.update(one_person(scored(TRUTH, 1, 1, 1)))
    assert metric.compute()["AP"] == pytest.approx(1.0)
    assert "without area" in metric.report() and "without box" in metric.report()


def test_placeholder_area_is_reported(tmp_path: Path) -> None:
    metric = KeyPointTopDownCOCOEval(write_truth(tmp_path, area=1), skeleton=SKELETON)
    assert any("under 2% of its box" in note for note in metric.ground_truth.notes)


def test_string_image_ids(tmp_path: Path) -> None:
    path = write_truth(tmp_path)
    path.write_text(path.read_text().replace('"id": 7', '"id": "seven"').replace('"image_id": 7', '"image_id": "seven"'))
    metric = KeyPointTopDownCOCOEval(path, skeleton=SKELETON)
    metric.update(one_person(scored(TRUTH, 1, 1, 1), image_id=["seven"]))
    assert metric.compute()["AP"] == pytest.approx(1.0)
    assert metric.results()[0]["image_id"] == "seven"


def test_nothing_predicted_scores_zero(tmp_path: Path) -> None:
    metric = KeyPointTopDownCOCOEval(write_truth(tmp_path), skeleton=SKELETON)
    assert metric.compute()["AP"] == 0
    assert f"| {SKELETON['keypoints'][0]['name']} | 1 | 0.000 | 0.000 |" in metric.report()  # missed, not unlabelled


def test_nobody_to_score_is_reported(tmp_path: Path) -> None:
    metric = KeyPointTopDownCOCOEval(write_truth(tmp_path, iscrowd=1), skeleton=SKELETON)
    metric.update(one_person(scored(TRUTH, 1, 1, 1)))
    metric.compute()
    assert "nobody in truth.json has labelled keypoints that count" in metric.report()
    metric = KeyPointTopDownCOCOEval(write_truth(tmp_path), skeleton=SKELETON)
    metric.compute()
    assert "nobody" not in metric.report()


def test_files(tmp_path: Path) -> None:
    path = write_truth(tmp_path)
    metric = KeyPointTopDownCOCOEval(path, output_eval=tmp_path / "out", save_prediction_only=True, skeleton=SKELETON)
    metric.update(one_person(scored(TRUTH, 1, 1, 1), center_xy=[[20, 50]], size_wh=[[50, 100]]))
    assert metric.compute() == {}
    (entry,) = json.loads((tmp_path / "out" / "keypoints_results.json").read_text())
    assert len(entry["keypoints"]) == 9
    assert entry["scale"] == [0.25, 0.5]
    assert metric.save(tmp_path / "other.json") == tmp_path / "other.json"
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["keypoints_results.json"]


def test_mistakes_are_named(tmp_path: Path) -> None:
    path = write_truth(tmp_path)
    with pytest.raises(DataError, match="nowhere.json"):
        KeyPointTopDownCOCOEval(tmp_path / "nowhere.json")
    with pytest.raises(DataError, match="9 keypoint values, expected 3 x 17"):
        KeyPointTopDownCOCOEval(path)
    with pytest.raises(ConfigError, match="num_joints is 17"):
        KeyPointTopDownCOCOEval(path, num_joints=17, skeleton=SKELETON)
    with pytest.raises(ConfigError, match="'greedy'"):
        KeyPointTopDownCOCOEval(path, nms="greedy", skeleton=SKELETON)
    metric = KeyPointTopDownCOCOEval(path, skeleton=SKELETON)
    with pytest.raises(DataError, match="image ids \\[8\\]"):
        metric.update(one_person(scored(TRUTH, 1, 1, 1), image_id=[8]))
    with pytest.raises(DataError, match="'area'"):
        metric.update({"image_id": np.array([7]), "keypoints": scored(TRUTH, 1, 1, 1)[None]})
    metric.update(one_person(scored(TRUTH, 1, 1, 1)))
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot write"):
        metric.save(tmp_path / "file" / "inside")
    path.write_text("[]")
    with pytest.raises(DataError, match="expected a mapping with `images`"):
        KeyPointTopDownCOCOEval(path)
    path.write_text("{")
    with pytest.raises(DataError, match="not valid JSON"):
        KeyPointTopDownCOCOEval(path)
