"""Numbers that are valid and mean something else are noticed; ordinary annotations are not."""

from __future__ import annotations

import numpy as np
import pytest

from ppdet.annotations.layout_checks import (
    away_from_box,
    boxes_as_corners,
    fractions_instead_of_pixels,
    is_in_fractions,
    listed_twice,
    looks_like_percent,
    other_box_layout,
    persons_in_fractions,
)
from ppdet.annotations.sidedness import fewest_for_an_order, one_sided
from ppdet.skeletons import get_skeleton

NAMES = ("nose", "left_ear", "right_ear", "tail")
PAIRS = ((1, 2),)


def persons(count: int = 30) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    low, size = rng.uniform(20, 300, (count, 2)), rng.uniform(30, 120, (count, 2))
    xy = low[:, None] + rng.uniform(0.05, 0.95, (count, 8, 2)) * size[:, None]
    return np.concatenate([xy, np.full((count, 8, 1), 2)], axis=2), np.concatenate([low, size], axis=1)


def test_pixels_and_ordinary_boxes_pass() -> None:
    keypoints, boxes = persons()
    assert fractions_instead_of_pixels(keypoints, boxes) == "" and other_box_layout(keypoints, boxes) is None
    face = keypoints.copy()
    face[:, :, :2] = boxes[:, None, :2] + (face[:, :, :2] - boxes[:, None, :2]) * [0.3, 0.1] + boxes[:, None, 2:] * [0.35, 0]
    assert other_box_layout(face, boxes) is None  # only the upper end is labelled
    assert other_box_layout(keypoints[:0], boxes[:0]) is None and fractions_instead_of_pixels(keypoints[:0], boxes[:0]) == ""


@pytest.mark.parametrize(
    ("layout", "columns"),
    [
        ("[x1, y1, x2, y2]", lambda b: np.concatenate([b[:, :2], b[:, :2] + b[:, 2:]], axis=1)),
        ("[centre x, centre y, width, height]", lambda b: np.concatenate([b[:, :2] + b[:, 2:] / 2, b[:, 2:]], axis=1)),
        ("[y, x, height, width]", lambda b: b[:, [1, 0, 3, 2]]),
        ("[y1, x1, y2, x2]", lambda b: np.concatenate([b[:, [1, 0]], b[:, [1, 0]] + b[:, [3, 2]]], axis=1)),
    ],
)
def test_other_box_layouts_are_named(layout: str, columns: object) -> None:
    keypoints, boxes = persons()
    assert other_box_layout(keypoints, columns(boxes)) == layout  # type: ignore[operator]


def test_fractions_are_named() -> None:
    keypoints, boxes = persons()
    scaled = keypoints * [1 / 500, 1 / 500, 1]
    assert fractions_instead_of_pixels(scaled, boxes / 500) == "keypoints and boxes"
    assert fractions_instead_of_pixels(scaled, boxes) == "keypoints"
    assert fractions_instead_of_pixels(keypoints, boxes / 500) == "boxes"


def test_the_same_person_twice() -> None:
    keypoints, boxes = persons(3)
    rows, which = np.array([0, 0, 1, 0, 1]), [0, 1, 0, 0, 2]
    side = boxes[which, 2:].max(axis=1)
    assert listed_twice(rows, keypoints[which], side) == [(0, 3)]
    again = keypoints[which]
    again[3, :, 0] += 0.019 * side[3]  # by another annotator
    assert listed_twice(rows, again, side) == [(0, 3)]
    assert listed_twice(np.array(["a", "a", "b", "a", "b"]), again, side) == [(0, 3)]
    assert listed_twice(rows, again, np.full(5, np.nan)) == []
    again[3, 2, 0] += 0.01 * side[3]
    assert listed_twice(rows, again, side) == [] == listed_twice(rows[:0], again[:0], side[:0])


def test_single_persons_in_fractions_of_the_image() -> None:
    keypoints, _ = persons(4)
    keypoints[2, :, :2] /= 500
    keypoints[3, :, :2] = 1  # placeholders
    assert persons_in_fractions(keypoints).tolist() == [False, False, True, False]
    assert [is_in_fractions(each.ravel().tolist()) for each in keypoints] == [False, False, True, False]


def test_percent_needs_large_images() -> None:
    keypoints, _ = persons()
    xy, wh = keypoints[..., :2], np.full((len(keypoints), 2), 500)
    percent = np.concatenate([xy / 5, keypoints[..., 2:]], axis=2)
    assert looks_like_percent(percent, wh) and not looks_like_percent(keypoints, wh)
    assert not looks_like_percent(percent, np.full_like(wh, 100)) and not looks_like_percent(percent[:2], wh[:2])


def test_single_boxes_that_do_not_fit_their_keypoints() -> None:
    keypoints, boxes = persons(4)
    xyxy = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
    assert not away_from_box(keypoints, xyxy).any() and not boxes_as_corners(keypoints, boxes).any()
    boxes[1], moved = xyxy[1], xyxy + [[0], [0], [150], [0]]
    assert boxes_as_corners(keypoints, boxes).tolist() == [False, True, False, False]
    assert away_from_box(keypoints, moved).tolist() == [False, False, True, False]


def test_boxes_around_more_than_the_labelled_part_are_no_corners() -> None:
    """Shoulders and hips of people whose boxes include head and legs: read as corners, some boxes fit them by chance."""
    shape = np.array([[-20, 0], [20, 0], [-15, 60], [15, 60]], float)
    keypoints = np.array([np.column_stack([shape + [80, 100 + 5 * number], np.full(4, 2)]) for number in range(6)])
    boxes = np.array([[50.0, 80 + 5 * number, 105, 165] for number in range(6)])
    assert not boxes_as_corners(keypoints, boxes).any()
    keypoints[3, :, :2] += 400
    boxes[3] = [440, 440, 530, 690]
    assert boxes_as_corners(keypoints, boxes).tolist() == [False] * 6, "corners, yet far from the keypoints"
    boxes[3] = [455, 510, 505, 580]
    assert boxes_as_corners(keypoints, boxes).tolist() == [False, False, False, True, False, False]


def mice(left: int, right: int) -> np.ndarray:
    """Seen from above, nose first; those that face right are mirrored as a camera would show them."""
    rng = np.random.default_rng(0)
    shape = np.array([[0, 0], [8, 4], [8, -4], [40, 0]], float)
    animals = []
    for number in range(left + right):
        angle = rng.uniform(-0.4, 0.4) + (np.pi if number >= left else 0)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        animals.append(np.column_stack([shape @ turn.T + 100, np.full(4, 2)]))
    return np.array(animals)


def test_one_sided_data_are_reported_by_their_share() -> None:
    assert str(one_sided(mice(113, 3), NAMES, PAIRS)) == "nose is left of tail in 113 of 116 objects"
    assert str(one_sided(mice(2, 98), NAMES, PAIRS)) == "tail is left of nose in 98 of 100 objects"
    assert one_sided(mice(60, 56), NAMES, PAIRS) is None and one_sided(mice(5, 0), NAMES, PAIRS) is None
    ears = mice(113, 3)[:, [1, 2]]  # nothing on the middle line: the ears themselves tell
    assert str(one_sided(ears, NAMES[1:3], ((0, 1),))) == "right_ear is above left_ear in 113 of 116 objects"


def test_an_order_of_a_few_random_points_is_chance() -> None:
    """With 17 keypoints 44 orders are compared, so some of 8 objects at random share one of them in 4 of 10 cases."""
    skeleton, rng = get_skeleton("coco17"), np.random.default_rng(0)
    for count in (6, 8, 12):
        points = np.concatenate([rng.uniform(0, 100, (40, count, 17, 2)), np.full((40, count, 17, 1), 2)], axis=3)
        found = [one_sided(each, skeleton.names, skeleton.flip_pairs, fewest=6) for each in points]
        assert sum(order is not None for order in found) <= 2
    assert fewest_for_an_order(17, 8) == 11 and fewest_for_an_order(2, 1) == 6
    assert one_sided(mice(7, 0), NAMES, PAIRS, fewest=6) is None
    assert str(one_sided(mice(8, 0), NAMES, PAIRS, fewest=6)) == "nose is left of tail in 8 of 8 objects"


def test_people_seen_from_the_front_are_not_one_sided() -> None:
    """The left eye is always right of the right one; a mirror that swaps them leaves that so."""
    rng = np.random.default_rng(1)
    shape = np.array([[0, 0], [10, -8], [-10, -8], [25, 40], [-25, 40]], float)
    front = np.array([np.column_stack([shape + rng.normal(0, 3, (5, 2)) + 200, np.full(5, 2)]) for _ in range(200)])
    assert one_sided(front, ("nose", "left_eye", "right_eye", "left_shoulder", "right_shoulder"), ((1, 2), (3, 4))) is None


def test_objects_without_keypoints_and_no_objects_say_nothing() -> None:
    boxes, side = np.array([[0, 0, 9, 9], [0, 0, 9, 9]], float), np.full(2, 9.0)
    for count, keypoints in ((2, 0), (0, 4)):
        points = np.zeros((count, keypoints, 3))
        assert not boxes_as_corners(points, boxes[:count]).any() and not away_from_box(points, boxes[:count]).any()
        assert not persons_in_fractions(points).any() and other_box_layout(points, boxes[:count]) is None
        assert listed_twice(np.arange(count), points, side[:count]) == []
    assert listed_twice(np.zeros(2), np.zeros((2, 0, 3)), side) == [(0, 1)]
