"""Notices annotations that are valid numbers and mean something else than pixels and [x, y, width, height].

Legend: N persons, K keypoints.
"""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple

import numpy as np

FEWEST_LABELLED = 3
BETTER_BY = 0.15
"""Gain in intersection over union with the keypoints' extent, at the median, that another reading of the boxes must bring."""
MOST_OF = 0.75
SAMPLE = 500
FARTHEST_FRACTION = 1.5
"""Normalised coordinates may lie a little outside their image."""


def fractions_instead_of_pixels(keypoints: np.ndarray, boxes_xywh: np.ndarray) -> str:
    """Which numbers are fractions of the image ("keypoints and boxes"), "" if they are pixels.

    Args:
        keypoints: (N, K, 3) x, y, visibility.
        boxes_xywh: (N, 4).
    """
    keypoints, boxes_xywh = _some(keypoints), _some(boxes_xywh)
    labelled = keypoints[keypoints[..., 2] > 0][:, :2]
    found = []
    if len(labelled) >= FEWEST_LABELLED and _mostly_fractions(labelled):
        found.append("keypoints")
    if len(boxes_xywh) and _mostly_fractions(boxes_xywh):
        found.append("boxes")
    return " and ".join(found)


def _some(rows: np.ndarray) -> np.ndarray:
    """At most 500 rows, spread over all: what is wrong with a whole file shows in them."""
    return rows[:: -(-len(rows) // SAMPLE) or 1]


def _mostly_fractions(values: np.ndarray) -> bool:
    finite = np.isfinite(values).all(axis=1)
    small = (np.abs(values[finite]) <= FARTHEST_FRACTION).all(axis=1)
    return len(small) > 0 and small.mean() > MOST_OF and bool((values[finite] % 1 != 0).any())


def other_box_layout(keypoints: np.ndarray, boxes: np.ndarray) -> Optional[str]:
    """The layout that fits the keypoints better than [x, y, width, height] does, such as "[x1, y1, x2, y2]"; None if none does.

    Compares the boxes, read in each way, with the extent of the labelled keypoints. Persons with fewer than three labelled
    keypoints say nothing.

    Args:
        keypoints: (N, K, 3) x, y, visibility.
        boxes: (N, 4) as the file has them.
    """
    keypoints, boxes = _some(keypoints), _some(boxes)
    visible = keypoints[..., 2] > 0
    enough = (visible.sum(axis=1) >= FEWEST_LABELLED) & np.isfinite(boxes).all(axis=1)
    if not enough.any():
        return None
    xy, shown, (a, b, c, d) = keypoints[enough, :, :2], visible[enough, :, None], boxes[enough].T
    extent = np.concatenate([np.where(shown, xy, np.inf).min(axis=1), np.where(shown, xy, -np.inf).max(axis=1)], axis=1)
    usual = _overlap(np.stack([a, b, a + c, b + d], axis=1), extent)
    readings = {
        "[x1, y1, x2, y2]": [a, b, c, d],
        "[centre x, centre y, width, height]": [a - c / 2, b - d / 2, a + c / 2, b + d / 2],
        "[y, x, height, width]": [b, a, b + d, a + c],
        "[y1, x1, y2, x2]": [b, a, d, c],
    }
    best, best_overlap = None, usual
    for name, corners in readings.items():
        overlap = _overlap(np.stack(corners, axis=1), extent)
        clearly = np.median(overlap) > np.median(usual) + BETTER_BY and (overlap > usual).mean() >= MOST_OF
        if clearly and np.median(overlap) > np.median(best_overlap):
            best, best_overlap = name, overlap
    return best


def _overlap(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(N,) intersection over union of xyxy boxes, pair by pair."""
    shared = np.minimum(boxes[:, 2:], others[:, 2:]) - np.maximum(boxes[:, :2], others[:, :2])
    inner = np.prod(np.maximum(shared, 0), axis=1)
    total = sum(np.prod(np.maximum(each[:, 2:] - each[:, :2], 0), axis=1) for each in (boxes, others)) - inner
    return inner / np.maximum(total, 1e-9)


def listed_twice(image_row: np.ndarray, keypoints: np.ndarray) -> List[Tuple[int, int]]:
    """Pairs of rows (first, repeated) that are the same person of the same image: all labelled keypoints are equal.

    Args:
        image_row: (N,) image of each person.
        keypoints: (N, K, 3), zero where not labelled.
    """
    seen: Dict[Tuple[int, bytes], int] = {}
    pairs = []
    points = np.ascontiguousarray(keypoints, np.float32)
    for row, image in enumerate(image_row.tolist()):
        first = seen.setdefault((image, points[row].tobytes()), row)
        if first != row:
            pairs.append((first, row))
    return pairs
