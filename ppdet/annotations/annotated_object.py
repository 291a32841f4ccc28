"""What COCO-style annotations leave out and what makes them unusable: one rule for datasets and metrics.

A dataset leaves out a person that this module calls unusable; a metric ignores the same person, so that it counts neither as
missed nor as found. Annotations are in the form of `coco_file.coco_content`.
"""

from __future__ import annotations

from typing import Any, List, Mapping, Optional, Sequence

from ppdet.annotations.layout_checks import is_in_fractions
from ppdet.annotations.values import are_numbers, is_number

AREA_PER_BOX = 0.53
"""Assumed area of an object without `area`, as a fraction of its box. Median of area / (w * h) over the 329 labelled persons
of 250 official val2017 images is .523. MMPose uses .53; with it CrowdPose, which has no areas, scores as in xtcocotools."""

IN_FRACTIONS = "with keypoints that are fractions of the image, from 0 to 1, instead of pixels"
WITHOUT_AREA = "with an `area` of 0 or less"

FARTHEST = 1e6
"""Larger coordinates are not pixels."""

SMALLEST_AREA_PER_BOX = 0.02
"""Below this share of its box an annotated area is a placeholder (tools write `area: 1`): a person in COCO covers at least a
tenth."""

SIZE_TOLERANCE = 2
"""Pixels by which an image, or a run-length mask, may differ from the size in the annotation file (rounded exports)."""


def box_around_keypoints(keypoints: Any) -> Optional[List[float]]:
    """[x, y, w, h] of the labelled keypoints' extent, for annotations without `bbox`; None if there is none.

    Args:
        keypoints: flat list of x, y, visibility; x and y of points that are not labelled do not count.
    """
    if not isinstance(keypoints, list) or len(keypoints) % 3 or not _are_pixels(keypoints):
        return None
    xs = [x for x, v in zip(keypoints[0::3], keypoints[2::3]) if v > 0]
    ys = [y for y, v in zip(keypoints[1::3], keypoints[2::3]) if v > 0]
    if not xs or max(xs) <= min(xs) or max(ys) <= min(ys):
        return None
    return [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]


def unusable(box_xywh: Any, keypoints: Any, area: Any, num_keypoints: int, image_wh: Sequence[float] = (0, 0)) -> Optional[str]:
    """Why an annotation can neither be trained on nor matched, such as "with an `area` of 0 or less"; None if it can.

    Args:
        box_xywh: the annotation's box in pixels.
        keypoints: flat list of x, y, visibility.
        area: None if the file has none, which is allowed.
        num_keypoints: the expected K.
        image_wh: size of the image; 0 if unknown.
    """
    if isinstance(keypoints, str):
        return keypoints  # why they could not be read, see `coco_content`
    if not isinstance(keypoints, list) or len(keypoints) != 3 * num_keypoints:
        count = len(keypoints) / 3 if isinstance(keypoints, list) else 0
        return f"with {count:g} keypoints instead of {num_keypoints}"
    if not isinstance(box_xywh, list) or len(box_xywh) != 4 or not all(is_number(value) for value in box_xywh):
        return "with a box that is not four finite numbers"
    if not _are_pixels(keypoints):
        return "with keypoints that are not finite numbers"
    if is_in_fractions(keypoints):
        return IN_FRACTIONS
    if any(_empty(*side) for side in zip(box_xywh[:2], box_xywh[2:], image_wh)):
        return "with a box without extent or outside its image"
    if area is not None and not is_number(area):
        return "with an `area` that is not a finite number"
    return WITHOUT_AREA if area is not None and area <= 0 else None


def is_labelled(annotation: Mapping[str, Any]) -> bool:
    """Whether any keypoint of an annotation is labelled."""
    keypoints = annotation.get("keypoints")
    visible = keypoints[2::3] if isinstance(keypoints, list) else []
    return any(visible) and any(is_number(v) and v > 0 for v in visible)


def _empty(start: float, size: float, limit: float) -> bool:
    """Whether one side of a box is empty after clipping to the pixel centres 0 .. limit - 1."""
    high = min(limit - 1 if limit > 0 else FARTHEST, start + max(size - 1, 0))
    return size <= 0 or high < max(start, 0)


def _are_pixels(keypoints: List[Any]) -> bool:
    """Whether every visibility is a number, and every labelled point lies where a pixel can be."""
    if are_numbers(keypoints) and max(map(abs, keypoints), default=0) < FARTHEST:
        return True
    return all(
        is_number(v) and (v <= 0 or (is_number(x) and is_number(y) and abs(x) < FARTHEST and abs(y) < FARTHEST))
        for x, y, v in zip(keypoints[0::3], keypoints[1::3], keypoints[2::3])
    )
