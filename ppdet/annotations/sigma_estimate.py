"""Estimates OKS sigmas from objects that several people annotated, as COCO's were.

sigma^2 = E[d^2 / s^2] with d the distance of an annotation from the truth and s^2 the object's area (COCO keypoint evaluation).
The truth is unknown; two annotations of one object differ by twice the variance of one.

Legend: K keypoints.
"""

from __future__ import annotations

from typing import Any, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from ppdet.annotations.annotated_object import AREA_PER_BOX
from ppdet.annotations.values import is_number

FEWEST_REPEATS = 10
SMALLEST_SIGMA = 0.005
FARTHEST = 0.5
"""Annotations farther apart than this part of the object's size (mean over keypoints) are of different objects."""


def estimate_sigmas(
    annotations: Sequence[Mapping[str, Any]], repeats: Sequence[Mapping[str, Any]], num_keypoints: int
) -> Optional[Tuple[np.ndarray, int]]:
    """(K,) sigmas and the number of objects they come from; None if fewer than ten were annotated twice.

    Keypoints that nobody labelled twice get the mean of the others.

    Args:
        annotations: COCO annotations, one per object.
        repeats: further annotations; each is compared with the nearest of its image.
        num_keypoints: K.
    """
    squares: List[List[float]] = [[] for _ in range(num_keypoints)]
    objects = 0
    for repeat in repeats:
        second = _table(repeat, num_keypoints)
        fitting = [first for first in annotations if first.get("image_id") == repeat.get("image_id")]
        best: Optional[Tuple[float, np.ndarray]] = None
        for first in fitting:
            table = _table(first, num_keypoints)
            both, area = (table[:, 2] > 0) & (second[:, 2] > 0), _area(first, table)
            if not both.any() or area <= 0:
                continue
            scaled = np.where(both, ((table[:, :2] - second[:, :2]) ** 2).sum(axis=1) / area, np.nan)
            distance = float(np.sqrt(np.nanmean(scaled)))
            if distance < FARTHEST and (best is None or distance < best[0]):
                best = (distance, scaled)
        if best is not None:
            objects += 1
            for index in np.flatnonzero(np.isfinite(best[1])).tolist():
                squares[index].append(float(best[1][index]))
    if objects < FEWEST_REPEATS:
        return None
    found = np.array([np.sqrt(np.mean(values) / 2) if values else np.nan for values in squares])
    return np.maximum(np.where(np.isfinite(found), found, np.nanmean(found)), SMALLEST_SIGMA), objects


def _table(annotation: Mapping[str, Any], num_keypoints: int) -> np.ndarray:
    flat = annotation.get("keypoints")
    if not isinstance(flat, list) or len(flat) != 3 * num_keypoints or not all(map(is_number, flat)):
        return np.zeros((num_keypoints, 3))
    return np.asarray(flat, np.float64).reshape(-1, 3)


def _area(annotation: Mapping[str, Any], table: np.ndarray) -> float:
    area, box = annotation.get("area"), annotation.get("bbox")
    if area is not None and is_number(area) and area > 1:
        return float(area)
    if isinstance(box, list) and len(box) == 4 and all(map(is_number, box)):
        return AREA_PER_BOX * box[2] * box[3]
    seen = table[table[:, 2] > 0, :2]
    return AREA_PER_BOX * float(np.prod(np.ptp(seen, axis=0))) if len(seen) > 1 else 0.0
