"""Vectorised similarity and suppression against plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from ppdet.geometry.boxes import clip_boxes, iou_matrix, nms, xywh_from_xyxy, xyxy_from_xywh
from ppdet.geometry.oks import oks_matrix, oks_nms, soft_oks_nms
from ppdet.skeletons import get_skeleton

SIGMAS = get_skeleton("coco17").sigmas


def _plain_oks(a: np.ndarray, area_a: float, b: np.ndarray, area_b: float) -> float:
    values = []
    for (xa, ya), (xb, yb), sigma in zip(a, b, SIGMAS):
        d2 = (xa - xb) ** 2 + (ya - yb) ** 2
        values.append(np.exp(-d2 / (2 * sigma) ** 2 / ((area_a + area_b) / 2 + np.spacing(1)) / 2))
    return float(np.mean(values))


def test_oks_equals_the_plain_loop() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.uniform(0, 50, (4, 17, 2)), rng.uniform(0, 50, (3, 17, 2))
    area_a, area_b = rng.uniform(100, 900, 4), rng.uniform(100, 900, 3)
    got = oks_matrix(a, area_a, b, area_b, SIGMAS)
    want = [[_plain_oks(a[i], area_a[i], b[j], area_b[j]) for j in range(3)] for i in range(4)]
    assert got == pytest.approx(np.array(want))


def test_oks_with_a_mask_counts_only_masked_keypoints() -> None:
    a = np.zeros((1, 17, 2))
    b = a.copy()
    b[0, 3] = 1000
    visible = np.ones((1, 1, 17), bool)
    assert oks_matrix(a, [100], b, [100], SIGMAS, visible)[0, 0] == pytest.approx(16 / 17)
    visible[..., 3] = False
    assert oks_matrix(a, [100], b, [100], SIGMAS, visible)[0, 0] == pytest.approx(1)
    assert oks_matrix(a, [100], b, [100], SIGMAS, visible & False)[0, 0] == 0


def test_oks_nms_keeps_the_better_of_two_equal_poses() -> None:
    rng = np.random.default_rng(2)
    pose = rng.uniform(0, 100, (1, 17, 2))
    poses = np.concatenate([pose, pose + 0.1, pose + 500])
    keep = oks_nms(poses, np.array([0.5, 0.9, 0.1]), np.full(3, 5000.0), SIGMAS, 0.9)
    assert keep.tolist() == [1, 2]


def test_soft_oks_nms_lowers_scores_and_loses_nobody() -> None:
    pose = np.random.default_rng(3).uniform(0, 100, (1, 17, 2))
    poses = np.concatenate([pose, pose, pose + 500])
    taken, scores = soft_oks_nms(poses, np.array([0.9, 0.8, 0.7]), np.full(3, 5000.0), SIGMAS, 0.9)
    assert taken.tolist() == [0, 2, 1]
    assert scores == pytest.approx([0.9, 0.7, 0.8 * np.exp(-1 / 0.9)])


def test_nothing_in_nothing_out() -> None:
    assert oks_nms(np.zeros((0, 17, 2)), np.zeros(0), np.zeros(0), SIGMAS).tolist() == []
    assert soft_oks_nms(np.zeros((0, 17, 2)), np.zeros(0), np.zeros(0), SIGMAS)[0].tolist() == []
    assert nms(np.zeros((0, 4)), np.zeros(0), 0.5).tolist() == []


def test_boxes() -> None:
    xyxy = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [100, 100, 100, 120]], float)
    assert xyxy_from_xywh(xywh_from_xyxy(xyxy)) == pytest.approx(xyxy)
    assert iou_matrix(xyxy, xyxy)[0] == pytest.approx([1, 1 / 3, 0])
    assert iou_matrix(xyxy, xyxy)[2, 2] == 0
    assert nms(xyxy[:2], np.array([0.3, 0.4]), 0.3).tolist() == [1]
    assert nms(xyxy[:2], np.array([0.3, 0.4]), 0.34).tolist() == [1, 0]
    assert clip_boxes([[-5, 2, 50, 70]], (20, 30)).tolist() == [[0, 2, 19, 29]]
