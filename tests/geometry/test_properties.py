"""Properties of boxes and OKS that hold whatever the numbers are."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ppdet.geometry.boxes import box_areas, clip_boxes, iou_matrix, nms, xywh_from_xyxy, xyxy_from_xywh
from ppdet.geometry.oks import oks_matrix, oks_nms

PIXELS = st.floats(-1e4, 1e4, width=32)
SIDES = st.floats(0, 1e4, width=32)
Poses = tuple[np.ndarray, np.ndarray]
QUICK = settings(max_examples=60, deadline=None)


@st.composite
def boxes(draw: st.DrawFn, most: int = 6) -> np.ndarray:
    """(N, 4) xyxy, some of them empty."""
    rows = draw(st.lists(st.tuples(PIXELS, PIXELS, SIDES, SIDES), max_size=most))
    return xyxy_from_xywh(np.array(rows, np.float64).reshape(-1, 4))


@st.composite
def poses(draw: st.DrawFn) -> Poses:
    """(N, 5, 2) keypoints and (N,) areas."""
    count = draw(st.integers(1, 5))
    keypoints = draw(hnp.arrays(np.float64, (count, 5, 2), elements=PIXELS))
    return keypoints, draw(hnp.arrays(np.float64, count, elements=st.floats(1, 1e6)))


@QUICK
@given(boxes())
def test_corners_and_sizes_are_two_ways_to_say_one_thing(given_boxes: np.ndarray) -> None:
    back = xyxy_from_xywh(xywh_from_xyxy(given_boxes))
    np.testing.assert_allclose(back, given_boxes, atol=1e-8)


@QUICK
@given(boxes(), st.integers(1, 3000), st.integers(1, 3000))
def test_clipping_keeps_boxes_inside_and_is_done_once(given_boxes: np.ndarray, width: int, height: int) -> None:
    clipped = clip_boxes(given_boxes, (width, height))
    assert (clipped >= 0).all() and (clipped <= np.array([width, height] * 2) - 1).all()
    np.testing.assert_array_equal(clip_boxes(clipped, (width, height)), clipped)
    assert (box_areas(clipped) <= box_areas(given_boxes) + 1e-6).all()


@QUICK
@given(boxes(), boxes(), PIXELS, PIXELS)
def test_iou_is_symmetric_bounded_and_moves_along(a: np.ndarray, b: np.ndarray, dx: float, dy: float) -> None:
    overlap = iou_matrix(a, b)
    assert overlap.shape == (len(a), len(b)) and (overlap >= 0).all() and (overlap <= 1 + 1e-12).all()
    np.testing.assert_array_equal(overlap, iou_matrix(b, a).T)
    own = iou_matrix(a, a).diagonal()
    np.testing.assert_allclose(own[box_areas(a) > 0], 1)
    wide = box_areas(a)[:, None] + box_areas(b)[None, :] > 1e-3  # else rounding decides
    moved = iou_matrix(a + [dx, dy, dx, dy], b + [dx, dy, dx, dy])
    np.testing.assert_allclose(moved[wide], overlap[wide], atol=1e-4)


@QUICK
@given(boxes(12), st.floats(0, 1), st.integers(0, 99))
def test_suppression_keeps_the_best_and_no_two_that_overlap(given_boxes: np.ndarray, threshold: float, seed: int) -> None:
    scores = np.random.default_rng(seed).random(len(given_boxes))
    kept = nms(given_boxes, scores, threshold)
    assert len(set(kept.tolist())) == len(kept) and (np.diff(scores[kept]) <= 0).all()
    assert len(given_boxes) == 0 or kept[0] == scores.argmax()
    overlap = iou_matrix(given_boxes[kept], given_boxes[kept])
    assert (overlap[~np.eye(len(kept), dtype=bool)] <= threshold).all()
    left_out = np.setdiff1d(np.arange(len(given_boxes)), kept)
    better = scores[kept][None] >= scores[left_out][:, None]
    assert ((iou_matrix(given_boxes[left_out], given_boxes[kept]) > threshold) & better).any(axis=1).all()


@QUICK
@given(poses(), st.floats(0.25, 4), PIXELS)
def test_oks_is_symmetric_bounded_and_knows_no_scale(given_poses: Poses, scale: float, shift: float) -> None:
    keypoints, areas = given_poses
    sigmas = np.array([0.026, 0.05, 0.1, 0.2, 0.079])
    similarity = oks_matrix(keypoints, areas, keypoints, areas, sigmas)
    assert (similarity >= 0).all() and (similarity <= 1).all()
    np.testing.assert_allclose(similarity.diagonal(), 1)
    np.testing.assert_array_equal(similarity, similarity.T)
    scaled = oks_matrix(keypoints * scale + shift, areas * scale**2, keypoints * scale + shift, areas * scale**2, sigmas)
    np.testing.assert_allclose(scaled, similarity, atol=1e-6)


@QUICK
@given(poses(), st.integers(0, 99))
def test_of_equal_poses_one_stays(given_poses: Poses, seed: int) -> None:
    keypoints, areas = given_poses
    twice, scores = np.concatenate([keypoints, keypoints]), np.random.default_rng(seed).random(2 * len(keypoints))
    kept = oks_nms(twice, scores, np.concatenate([areas, areas]), np.full(5, 0.05))
    assert len(kept) <= len(keypoints) and kept[0] == scores.argmax()
