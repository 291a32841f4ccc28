"""Boxes from hand-made network outputs."""

from __future__ import annotations

import numpy as np
import pytest
from support.planted_models import sure_of

from ppdet.core.errors import ModelDirError
from ppdet.inference.estimators.box_decoding import (
    anchor_centers,
    classwise_nms,
    decode_distribution,
    decode_raw_heads,
    split_finished_boxes,
)

BINS = 8  # reg_max 7


def test_a_distribution_gives_its_mean() -> None:
    halfway = np.full((4, BINS), -50.0, np.float32)
    halfway[:, [2, 3]] = 10.0
    decoded = decode_distribution(np.stack([sure_of([0, 1, 6, 7]), halfway.ravel(), np.full(4 * BINS, 1000.0, np.float32)]))
    np.testing.assert_allclose(decoded, [[0, 1, 6, 7], [2.5] * 4, [3.5] * 4], atol=1e-5)


def test_anchor_centers_run_row_by_row() -> None:
    np.testing.assert_array_equal(anchor_centers(2, 3, 8), [[4, 4], [12, 4], [20, 4], [4, 12], [12, 12], [20, 12]])


def raw_heads(planted: list[tuple[int, int, float, list[int]]]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Heads of a 32 x 64 (h x w) input with strides 8 and 16; `planted` is (level, point, score, distances)."""
    scores = [np.zeros((32, 1), np.float32), np.zeros((8, 1), np.float32)]
    distances = [np.tile(sure_of([1, 1, 1, 1]), (32, 1)), np.tile(sure_of([1, 1, 1, 1]), (8, 1))]
    for level, point, score, sides in planted:
        scores[level][point] = score
        distances[level][point] = sure_of(sides)
    return scores, distances


def test_raw_heads_become_boxes_of_all_levels() -> None:
    # level 0: point 9 is row 1, column 1 of 4 x 8, centre (12, 12); level 1: point 6 is row 1, column 2 of 2 x 4, centre (40, 24)
    scores, distances = raw_heads([(0, 9, 0.6, [1, 0, 2, 1]), (1, 6, 0.9, [1, 1, 1, 0]), (0, 0, 0.2, [1, 1, 1, 1])])
    found = decode_raw_heads(scores, distances, [8, 16], (32, 64), {"score_threshold": 0.3, "nms_threshold": 0.5})
    np.testing.assert_allclose(found.boxes_xyxy, [[24, 8, 56, 24], [4, 12, 28, 20]], atol=1e-3)
    np.testing.assert_allclose(found.scores, [0.9, 0.6])
    assert found.labels.tolist() == [0, 0]


def test_levels_that_do_not_fit_the_input_are_refused() -> None:
    scores, distances = raw_heads([])
    with pytest.raises(ModelDirError, match="fpn_stride"):
        decode_raw_heads(scores, distances, [8, 32], (32, 64), {})


def test_nms_is_by_class_and_keeps_the_best() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [0, 0, 10, 10], [50, 50, 60, 60]], float)
    scores = np.array([[0.9, 0.0], [0.8, 0.1], [0.0, 0.7], [0.5, 0.0]])
    found = classwise_nms(boxes, scores, {"score_threshold": 0.2, "nms_threshold": 0.5})
    np.testing.assert_allclose(found.scores, [0.9, 0.7, 0.5])
    assert found.labels.tolist() == [0, 1, 0]
    assert len(classwise_nms(boxes, scores, {"score_threshold": 0.2, "nms_threshold": 0.95})) == 4
    assert len(classwise_nms(boxes, scores, {"score_threshold": 0.2, "keep_top_k": 1})) == 1
    assert len(classwise_nms(boxes, scores, {"score_threshold": 0.2, "nms_top_k": 1})) == 2  # one a class
    assert len(classwise_nms(boxes, scores, {"score_threshold": 0.95})) == 0


def test_finished_boxes_are_split_by_image() -> None:
    rows = np.array([[0, 0.5, 1, 2, 3, 4], [1, 0.9, 5, 6, 7, 8], [0, 0.7, 0, 0, 1, 1]], np.float32)
    first, second, third = split_finished_boxes(rows, np.array([2, 0, 1], np.int32))
    np.testing.assert_allclose(first.scores, [0.9, 0.5])  # best first
    np.testing.assert_allclose(first.boxes_xyxy[0], [5, 6, 7, 8])
    assert first.labels.tolist() == [1, 0] and len(second) == 0 and third.scores.tolist() == pytest.approx([0.7])


def test_paddles_no_box_row_is_no_box() -> None:
    (found,) = split_finished_boxes(np.array([[-1, 0, 0, 0, 0, 0]], np.float32), np.array([1]))
    assert len(found) == 0
    (found,) = split_finished_boxes(np.zeros((0, 6), np.float32), np.array([0]))
    assert found.boxes_xyxy.shape == (0, 4)
    with pytest.raises(ModelDirError, match="announces 3 boxes"):
        split_finished_boxes(np.zeros((1, 6), np.float32), np.array([3]))
