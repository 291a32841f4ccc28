"""The metrics of people without boxes, against figures computed elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.shared_data import shared

from ppdet.core.errors import ConfigError, DataError
from ppdet.metrics.bottom_up_keypoint import KeyPointBottomUpCOCOEval
from ppdet.metrics.crowdpose import KeyPointCrowdPoseEval

EXAMPLES = ("data", "metrics", "xtcocotools_examples")


def rows(file: Path, num_keypoints: int) -> dict[str, np.ndarray]:
    """A COCO result file as a model's predictions."""
    entries = json.loads(file.read_text())
    return {
        "image_id": np.array([e["image_id"] for e in entries]),
        "keypoints": np.array([e["keypoints"] for e in entries], float).reshape(len(entries), num_keypoints, 3),
        "score": np.array([e["score"] for e in entries]),
    }


def of_images(batch: dict[str, np.ndarray], ids: Any) -> dict[str, np.ndarray]:
    kept = np.isin(batch["image_id"], ids)
    return {**{name: values[kept] for name, values in batch.items()}, "evaluated": np.array(ids)}


@pytest.fixture
def crowdpose() -> tuple[KeyPointCrowdPoseEval, dict[str, np.ndarray]]:
    metric = KeyPointCrowdPoseEval(shared(*EXAMPLES, "example_crowdpose_val.json"))
    return metric, rows(shared(*EXAMPLES, "example_crowdpose_preds.json"), 14)


def test_crowdpose_figures_are_those_of_xtcocotools(crowdpose: Any) -> None:
    metric, predictions = crowdpose
    metric.update(predictions)
    figures = metric.compute()
    expected = {"AP": 0.7877, "AP50": 0.9881, "AP75": 0.7314, "AR": 0.8222, "AR50": 1.0, "AR75": 0.7778,
                "AP_easy": 1.0, "AP_medium": 0.9802, "AP_hard": 0.4116}  # fmt: skip
    assert figures == pytest.approx(expected, abs=1e-4)
    assert metric.report().splitlines()[0].endswith("AP (easy) | AP (medium) | AP (hard) |")
    assert "area" not in metric.report()


@pytest.mark.parametrize("area", [0, 3.0])
def test_crowdpose_knows_no_areas(crowdpose: Any, tmp_path: Path, area: float) -> None:
    metric, predictions = crowdpose
    truth = json.loads(shared(*EXAMPLES, "example_crowdpose_val.json").read_text())
    for annotation in truth["annotations"]:
        annotation["area"] = area
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    other = KeyPointCrowdPoseEval(tmp_path / "truth.json")
    for each in (metric, other):
        each.update(predictions)
    assert other.compute() == metric.compute()
    assert other.notes() == [note.replace("example_crowdpose_val", "truth") for note in metric.notes()]


@pytest.mark.parametrize(("index", "group"), [(0.0, "easy"), (0.19, "easy"), (0.2, "medium"), (0.79, "medium"), (0.8, "hard")])
def test_groups_of_crowdpose(index: float, group: str, tmp_path: Path) -> None:
    truth = json.loads(shared(*EXAMPLES, "example_crowdpose_val.json").read_text())
    truth["images"][0]["crowdIndex"] = index
    del truth["images"][1]["crowdIndex"]
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    metric = KeyPointCrowdPoseEval(tmp_path / "truth.json")
    assert [name for name, ids in metric.groups.items() if truth["images"][0]["id"] in ids] == [group]
    assert sum(map(len, metric.groups.values())) == 3
    assert "1 image(s) have no crowdIndex" in " ".join(metric.notes())


def test_a_group_without_images_has_no_figure(crowdpose: Any) -> None:
    metric, predictions = crowdpose
    metric.groups["easy"] = []
    metric.update(predictions)
    assert metric.compute()["AP_easy"] == -1


def test_coco_figures_are_those_of_xtcocotools() -> None:
    metric = KeyPointBottomUpCOCOEval(shared(*EXAMPLES, "example_coco_val.json"))
    metric.update(rows(shared(*EXAMPLES, "example_coco_preds.json"), 17))
    stats = metric.compute()
    assert [stats["AP"], stats["AP50"], stats["AP75"]] == pytest.approx([0.8609, 0.9931, 0.9109], abs=1e-4)


@pytest.mark.parametrize(
    ("truth", "result", "expected"),
    [
        (("coco_val2017_250", "val_subset.json"), "detections_beubax.json",
         [0.0737, 0.1962, 0.0398, 0.0236, 0.1473, 0.0951, 0.2401, 0.0699, 0.0225, 0.1908]),
        (("coco_val2017_250", "val_subset.json"), "detections_ax642511.json",
         [0.2154, 0.4307, 0.1905, 0.1641, 0.2886, 0.2456, 0.4620, 0.2280, 0.1733, 0.3408]),
    ],
)  # fmt: skip
def test_people_are_neither_suppressed_nor_rescored(truth: Any, result: str, expected: list[float]) -> None:
    metric = KeyPointBottomUpCOCOEval(shared("data", "metrics", *truth))
    metric.update(rows(shared("data", "metrics", truth[0], result), 17))
    assert [round(value, 4) for value in metric.compute().values()] == expected


def test_shares_of_processes_make_the_whole(crowdpose: Any) -> None:
    whole, predictions = crowdpose
    whole.update(predictions)
    ids = whole.ground_truth.image_ids
    first, second = (KeyPointCrowdPoseEval(whole.ground_truth.path) for _ in range(2))
    first.update(of_images(predictions, ids[:3]))
    second.update(of_images(predictions, ids[2:]))  # the third image twice, as a padding sampler does
    first.merge([second.state()])
    assert first.results() == whole.results()
    assert first.people.num_images == 4
    assert first.compute() == whole.compute()


def test_images_without_people_are_missed_and_counted(crowdpose: Any) -> None:
    metric, predictions = crowdpose
    ids = metric.ground_truth.image_ids
    metric.update(of_images(predictions, ids[:2]))
    metric.update({**of_images(predictions, []), "evaluated": np.array(ids[2:])})
    assert metric.people.num_images == 4 and len(metric.people) == len(metric.results())
    assert 0 < metric.compute()["AR"] < 0.75
    empty = KeyPointCrowdPoseEval(metric.ground_truth.path)
    empty.update({**of_images(predictions, []), "evaluated": np.array(ids)})
    assert set(empty.compute().values()) == {0.0}


def test_the_file_holds_four_keys_and_scores_the_same(crowdpose: Any, tmp_path: Path) -> None:
    metric, predictions = crowdpose
    metric.output_eval = tmp_path
    metric.update(predictions)
    figures = metric.compute()
    entries = json.loads((tmp_path / "keypoint.json").read_text())
    assert set(entries[0]) == {"image_id", "category_id", "keypoints", "score"} and len(entries[0]["keypoints"]) == 42
    assert KeyPointCrowdPoseEval(metric.ground_truth.path).score(entries) == pytest.approx(figures, abs=1e-6)


def test_numbers_that_are_not_finite_are_told(crowdpose: Any) -> None:
    metric, predictions = crowdpose
    predictions["keypoints"][0, 3, 1] = np.nan
    predictions["score"][1] = np.inf
    metric.update(predictions)
    assert len(metric.results()) == len(predictions["score"]) - 2
    assert "2 predicted people" in " ".join(metric.notes())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_id": np.array([999])}, r"\[999\]"),
        ({"keypoints": np.zeros((1, 17, 3))}, r"expected \(1, 14, 3\)"),
        ({"score": np.zeros(2)}, "do not fit 1 image ids"),
    ],
)
def test_mistakes_are_told(crowdpose: Any, change: dict[str, Any], message: str) -> None:
    metric, _ = crowdpose
    row = {"image_id": np.array(metric.ground_truth.image_ids[:1]), "keypoints": np.zeros((1, 14, 3)), "score": np.ones(1)}
    with pytest.raises(DataError, match=message):
        metric.update({**row, **change})
    with pytest.raises(DataError, match="lack the column"):
        metric.update({"image_id": np.array([1])})


def test_another_number_of_keypoints_is_refused() -> None:
    with pytest.raises(ConfigError, match="KeyPointCrowdPoseEval: num_joints is 17"):
        KeyPointCrowdPoseEval("nowhere.json", num_joints=17)
