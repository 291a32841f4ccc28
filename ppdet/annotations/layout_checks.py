"""Notices annotations that are valid numbers and mean something else than pixels and [x, y, width, height].

Legend: N persons, K keypoints.
"""

from __future__ import annotations

from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np

FEWEST_LABELLED = 3
ROUNDING = 0.001
"""So far above 1 a score may come out of a network in half precision."""
BETTER_BY = 0.15
"""Gain in intersection over union with the keypoints' extent, at the median, that another reading of the boxes must bring."""
MOST_OF = 0.75
CLEARLY_BETTER = 0.3
"""The same gain, for a single person."""
FAR_BELOW = 0.5
"""Of the upper quartile of the intersections over union in the file: a box below this share of it is unlike the others."""
SAMPLE = 500
FARTHEST_FRACTION = 1.5
"""Normalised coordinates may lie a little outside their image."""
BOX_MARGIN = 0.25
"""Of the longer side: so far outside their box labelled keypoints may lie."""
FEWEST_FOR_PERCENT = 5
SMALLEST_FOR_PERCENT = 160
ALIKE = 0.02
"""Of the longer side of the box: two persons whose keypoints differ by less are one, labelled twice."""


def unusual_scores(scores: Sequence[float], threshold: str) -> str:
    """A remark on scores of boxes that are no probabilities, "" if all are.

    Evaluations rank by scores, so any numbers will do; a threshold is stated as a probability.

    Args:
        scores: one per box.
        threshold: name or value of the threshold that is applied to them.
    """
    low, high = min(scores, default=0.0), max(scores, default=0.0)
    if low >= 0 and high <= 1 + ROUNDING:
        return ""
    return (
        f"the scores of its boxes range from {low:g} to {high:g}, and {threshold} is applied to them as they are; expected "
        "scores from 0 to 1: scale them"
    )


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


def persons_in_fractions(keypoints: np.ndarray) -> np.ndarray:
    """(N,) which persons have keypoints from 0 to 1, in a file whose others are in pixels.

    Args:
        keypoints: (N, K, 3) x, y, visibility. Persons with fewer than three labelled keypoints say nothing.
    """
    labelled = keypoints[..., 2] > 0
    with np.errstate(invalid="ignore"):
        small = (np.abs(keypoints[..., :2]) <= FARTHEST_FRACTION).all(axis=2) | ~labelled
        broken = (keypoints[..., :2] % 1 != 0).any(axis=2) & labelled
    return (labelled.sum(axis=1) >= FEWEST_LABELLED) & small.all(axis=1) & broken.any(axis=1)


def is_in_fractions(keypoints: List[float]) -> bool:
    """`persons_in_fractions` of one person's flat list of x, y, visibility."""
    labelled = [(x, y) for x, y, v in zip(keypoints[0::3], keypoints[1::3], keypoints[2::3]) if v > 0]
    if len(labelled) < FEWEST_LABELLED or any(abs(x) > FARTHEST_FRACTION or abs(y) > FARTHEST_FRACTION for x, y in labelled):
        return False
    return any(x % 1 != 0 or y % 1 != 0 for x, y in labelled)


def looks_like_percent(keypoints: np.ndarray, image_wh: np.ndarray) -> bool:
    """Whether all keypoints are from 0 to 100, though the images are clearly larger.

    Args:
        keypoints: (N, K, 3) x, y, visibility.
        image_wh: (N, 2) size of each person's image; 0 if unknown.
    """
    labelled = keypoints[..., 2] > 0
    if len(keypoints) < FEWEST_FOR_PERCENT or not (image_wh > SMALLEST_FOR_PERCENT).all() or not labelled.any():
        return False
    farthest = keypoints[..., :2][labelled].max(axis=0)
    return bool((farthest <= 100).all() and (farthest > 50).all())


def away_from_box(keypoints: np.ndarray, boxes_xyxy: np.ndarray) -> np.ndarray:
    """(N,) which persons have most of their labelled keypoints outside their box, with a margin of a quarter.

    Args:
        keypoints: (N, K, 3) x, y, visibility. Persons with fewer than three labelled keypoints say nothing.
        boxes_xyxy: (N, 4).
    """
    labelled = keypoints[..., 2] > 0
    low, high = boxes_xyxy[:, None, :2], boxes_xyxy[:, None, 2:]
    margin = BOX_MARGIN * (high - low).max(axis=2, keepdims=True)
    inside = ((keypoints[..., :2] >= low - margin) & (keypoints[..., :2] <= high + margin)).all(axis=2) & labelled
    return (labelled.sum(axis=1) >= FEWEST_LABELLED) & (2 * inside.sum(axis=1) < labelled.sum(axis=1))


def other_box_layout(keypoints: np.ndarray, boxes: np.ndarray) -> Optional[str]:
    """The layout that fits the keypoints better than [x, y, width, height] does, such as "[x1, y1, x2, y2]"; None if none does.

    Compares the boxes, read in each way, with the extent of the labelled keypoints. Persons with fewer than three labelled
    keypoints say nothing.

    Args:
        keypoints: (N, K, 3) x, y, visibility.
        boxes: (N, 4) as the file has them.
    """
    keypoints, boxes = _some(keypoints), _some(boxes)
    enough = _says_something(keypoints, boxes)
    if not enough.any():
        return None
    extent, (a, b, c, d) = _extent(keypoints[enough]), boxes[enough].T
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


def boxes_as_corners(keypoints: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """(N,) which boxes fit their keypoints as [x1, y1, x2, y2], and as [x, y, width, height] far worse than the others.

    Args:
        keypoints: (N, K, 3) x, y, visibility, of one file. Persons with fewer than three labelled keypoints say nothing.
        boxes: (N, 4) as the file has them.
    """
    extent = _extent(keypoints)
    usual = _overlap(np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1), extent)
    enough = _says_something(keypoints, boxes)
    # The keypoints may cover a part of the body only, so that every box is far larger than their extent.
    typical = np.quantile(usual[enough], 0.75) if enough.any() else 0.0
    return enough & (_overlap(boxes, extent) > usual + CLEARLY_BETTER) & (usual < FAR_BELOW * typical)


def _says_something(keypoints: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    enough: np.ndarray = ((keypoints[..., 2] > 0).sum(axis=1) >= FEWEST_LABELLED) & np.isfinite(boxes).all(axis=1)
    return enough


def _extent(keypoints: np.ndarray) -> np.ndarray:
    """(N, 4) xyxy of the labelled keypoints."""
    xy, shown = keypoints[..., :2], keypoints[..., 2:] > 0
    low = np.where(shown, xy, np.inf).min(axis=1, initial=np.inf)
    return np.concatenate([low, np.where(shown, xy, -np.inf).max(axis=1, initial=-np.inf)], axis=1)


def _overlap(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(N,) intersection over union of xyxy boxes, pair by pair."""
    shared = np.minimum(boxes[:, 2:], others[:, 2:]) - np.maximum(boxes[:, :2], others[:, :2])
    inner = np.prod(np.maximum(shared, 0), axis=1)
    total = sum(np.prod(np.maximum(each[:, 2:] - each[:, :2], 0), axis=1) for each in (boxes, others)) - inner
    return inner / np.maximum(total, 1e-9)


def listed_twice(image: np.ndarray, keypoints: np.ndarray, side: np.ndarray) -> List[Tuple[int, int]]:
    """Pairs of rows (first, repeated) that are the same person of the same image, also if labelled by two people.

    The same keypoints are labelled and equal, or at least three of them are, and none lies farther from the other than `ALIKE`.

    Args:
        image: (N,) image of each person: row or id.
        keypoints: (N, K, 3), zero where not labelled.
        side: (N,) longer side of each person's box; NaN if unknown.
    """
    labelled = keypoints[..., 2] > 0
    count = labelled.sum(axis=1)
    reach = np.where((count >= FEWEST_LABELLED) & np.isfinite(side), ALIKE * side, 0)
    order = np.argsort(image, kind="stable")  # persons of an image become neighbours
    _, members = np.unique(image, return_counts=True)
    middle = keypoints[..., :2].sum(axis=1) / np.maximum(count, 1)[:, None]
    first_of: Dict[int, int] = {}
    for distance in range(1, int(members.max(initial=0))):
        one, other = order[:-distance], order[distance:]
        near = (image[one] == image[other]) & (count[one] == count[other])
        one, other = one[near], other[near]
        close = (np.abs(middle[one] - middle[other]) <= reach[one, None]).all(axis=1)
        for a, b in zip(one[close].tolist(), other[close].tolist()):
            shift = np.abs(keypoints[a, :, :2] - keypoints[b, :, :2]).max(initial=0)
            if np.array_equal(labelled[a], labelled[b]) and shift <= reach[a]:
                first_of.setdefault(max(a, b), min(a, b))
    return sorted((first, repeated) for repeated, first in first_of.items())
