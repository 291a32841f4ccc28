"""What COCO-style annotations leave out and what makes them unusable: one rule for datasets and metrics.

A dataset leaves out a person that this module calls unusable; a metric takes the same person as ignored, so that it
counts neither as missed nor as found.
"""

from __future__ import annotations

from typing import Any, List, Mapping, Optional, Sequence

from ppdet.core.json_values import is_number

AREA_PER_BOX = 0.53
"""Assumed area of an object without `area`, as a fraction of its box. Median of area / (w * h) over the 329 labelled persons
of 250 official val2017 images is .523. MMPose uses .53; with it CrowdPose, which has no areas, scores as in xtcocotools."""

FARTHEST = 1e6
"""Larger coordinates are not pixels."""


def box_around_keypoints(keypoints: Any) -> Optional[List[float]]:
    """[x, y, w, h] of the labelled keypoints' extent, for annotations without `bbox`; None if there is none.

    Args:
        keypoints: flat list of x, y, visibility.
    """
    if not isinstance(keypoints, list) or len(keypoints) % 3 or not all(_is_pixel(value) for value in keypoints):
        return None
    xs = [x for x, v in zip(keypoints[0::3], keypoints[2::3]) if v > 0]
    ys = [y for y, v in zip(keypoints[1::3], keypoints[2::3]) if v > 0]
    if not xs or max(xs) <= min(xs) or max(ys) <= min(ys):
        return None
    return [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]


def unusable(box_xywh: Any, keypoints: Any, area: Any, num_keypoints: int, image_wh: Sequence[float] = (0, 0)) -> Optional[str]:
    """Why an annotation can neither be trained on nor matched, such as "with area 0"; None if it can.

    Args:
        box_xywh: the annotation's box in pixels.
        keypoints: flat list of x, y, visibility.
        area: None if the file has none, which is allowed.
        num_keypoints: the expected K.
        image_wh: size of the image; 0 if unknown.
    """
    if not isinstance(keypoints, list) or len(keypoints) != 3 * num_keypoints:
        count = len(keypoints) / 3 if isinstance(keypoints, list) else 0
        return f"with {count:g} keypoints instead of {num_keypoints}"
    if not isinstance(box_xywh, list) or len(box_xywh) != 4 or not all(is_number(value) for value in box_xywh):
        return "with a box that is not four finite numbers"
    if not all(_is_pixel(value) for value in keypoints):
        return "with keypoints that are not finite numbers"
    if any(_empty(*side) for side in zip(box_xywh[:2], box_xywh[2:], image_wh)):
        return "with a box without extent or outside its image"
    if area is not None and not (is_number(area) and area > 0):
        return "with area 0"
    return None


def is_labelled(annotation: Mapping[str, Any]) -> bool:
    """Whether any keypoint of an annotation is labelled."""
    return any(is_number(v) and v > 0 for v in (annotation.get("keypoints") or [])[2::3])


def _empty(start: float, size: float, limit: float) -> bool:
    """Whether one side of a box is empty after clipping to the pixel centres 0 .. limit - 1."""
    high = min(limit - 1 if limit > 0 else FARTHEST, start + max(size - 1, 0))
    return size <= 0 or high < max(start, 0)


def _is_pixel(value: Any) -> bool:
    return is_number(value) and abs(value) < FARTHEST
