"""Planted errors of each kind."""

from __future__ import annotations

from typing import Any, Dict, List

import numpy as np
import pytest

from ppdet.metrics.analysis.box_recall import box_recall
from ppdet.metrics.analysis.error_kinds import KINDS, classify_errors
from ppdet.metrics.landmarks.matching import match_objects
from ppdet.skeletons import get_skeleton

SKELETON = get_skeleton(
    {"name": "stick", "keypoints": ["head", "tail", {"name": "left_foot", "mirror": "right_foot"},
                                    {"name": "right_foot", "mirror": "left_foot"}]}
)  # fmt: skip
POSE = np.array([[50.0, 10.0], [50.0, 60.0], [20.0, 90.0], [80.0, 90.0]])
AREA = 5000.0


def at_similarity(ks: float) -> float:
    """Pixels at which a keypoint has that OKS term."""
    return float(np.sqrt(-np.log(ks) * 8 * SKELETON.sigmas[0] ** 2 * AREA))


def objects(*shifts: float) -> List[Dict[str, Any]]:
    return [
        {"image_id": 0, "bbox": [shift, 0, 100, 100], "area": AREA, "iscrowd": 0, "num_keypoints": 4,
         "keypoints": np.column_stack([POSE + [shift, 0], np.full(4, 2)]).reshape(-1).tolist()}
        for shift in shifts
    ]  # fmt: skip


def prediction(xy: np.ndarray) -> Dict[str, Any]:
    return {"image_id": 0, "score": 1.0, "keypoints": np.column_stack([xy, np.full(4, 0.9)]).reshape(-1).tolist()}


def kinds(truth: List[Dict[str, Any]], *predictions: np.ndarray) -> List[List[str]]:
    matched = match_objects(truth, [prediction(xy) for xy in predictions], SKELETON.sigmas)
    return [[KINDS[kind] if kind >= 0 else "" for kind in row] for row in classify_errors(matched, SKELETON).kind]


def moved(k: int, xy: Any) -> np.ndarray:
    pose = POSE.copy()
    pose[k] = xy
    return pose


@pytest.mark.parametrize(("ks", "kind"), [(0.99, "good"), (0.86, "good"), (0.84, "jitter"), (0.51, "jitter"), (0.49, "miss")])
def test_similarity_decides_between_good_jitter_and_miss(ks: float, kind: str) -> None:
    assert kinds(objects(0), moved(0, POSE[0] - [0, at_similarity(ks)]))[0] == [kind, "good", "good", "good"]


def test_left_and_right_exchanged() -> None:
    assert kinds(objects(0), POSE[[0, 1, 3, 2]])[0] == ["good", "good", "inversion", "inversion"]


def test_keypoints_without_a_mirror_are_inverted_with_each_other() -> None:
    assert kinds(objects(0), POSE[[1, 0, 2, 3]])[0] == ["inversion", "inversion", "good", "good"]
    assert kinds(objects(0), moved(0, POSE[2]))[0][0] == "miss"  # a head on a foot


def test_another_objects_keypoint() -> None:
    taken = moved(3, POSE[3] + [300, 0])
    found = kinds(objects(0, 300), taken, POSE + [300, 0])
    assert found == [["good", "good", "good", "swap"], ["good"] * 4]
    mirror = moved(3, POSE[2] + [300, 0])
    assert kinds(objects(0, 300), mirror, POSE + [300, 0])[0][3] == "swap"


def test_objects_without_a_prediction() -> None:
    assert kinds(objects(0, 300), POSE) == [["good"] * 4, ["detector miss"] * 4]
    assert kinds(objects(0), POSE + [2000, 0]) == [["detector miss"] * 4]
    assert "detector miss" not in kinds(objects(0), np.array([[50.0, 50.0]] * 4))[0]  # found, and wrong


def test_unlabelled_keypoints_have_no_kind() -> None:
    truth = objects(0)
    truth[0]["keypoints"][2] = 0
    truth[0]["num_keypoints"] = 3
    assert kinds(truth, POSE)[0] == ["", "good", "good", "good"]


def test_confusions_are_counted_by_name() -> None:
    matched = match_objects(objects(0), [prediction(POSE[[0, 1, 3, 2]])], SKELETON.sigmas)
    found = classify_errors(matched, SKELETON)
    assert set(found.confusions(SKELETON.names)) == {
        ("inversion", "left_foot", "right_foot", 1), ("inversion", "right_foot", "left_foot", 1),
    }  # fmt: skip
    assert found.counts().sum(axis=0).tolist() == [2, 0, 2, 0, 0, 0]


def test_boxes_are_assigned_once() -> None:
    boxes = np.array([[0, 0, 100, 100], [200, 0, 100, 100], [0, 0, 50, 50]], float)
    detections = [
        {"image_id": 0, "bbox": [0, 0, 100, 100], "score": 0.9}, {"image_id": 0, "bbox": [200, 0, 100, 50], "score": 0.8},
        {"image_id": 1, "bbox": [500, 500, 10, 10], "score": 0.7},
    ]  # fmt: skip
    found = box_recall(np.array([0, 0, 1]), boxes, detections)
    assert found.iou.tolist() == [1, 0.5, 0] and found.score[:2].tolist() == [0.9, 0.8] and np.isnan(found.score[2])
    assert found.recall(0.5) == pytest.approx(2 / 3) and found.recall(0.75) == pytest.approx(1 / 3) and found.boxes == 3
