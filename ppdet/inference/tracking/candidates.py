"""Which of a detector's boxes are worth a pose."""
from __future__ import annotations

import numpy as np

from ppdet.geometry.boxes import iou_matrix

# A box of low score must overlap a person's expected box by this, and no sure box by more than the other.
EXPECTED_OVERLAP = 0.4
TAKEN_OVERLAP = 0.6


def boxes_to_keep(
    boxes_xyxy: np.ndarray, scores: np.ndarray, threshold: float, low_score: float = 1.0, expected: np.ndarray | None = None
) -> np.ndarray:
    """(N,) bool: boxes of people, and boxes of low score where a person is expected and no other box is.

    People who are half hidden or blurred score low for some frames. Taking every box of low score would find people everywhere,
    and the pose network would have to run on all of them.

    Args:
        boxes_xyxy: (N, 4).
        scores: (N,).
        threshold: smallest score of a person.
        low_score: smallest score where one is expected.
        expected: (M, 4) xyxy, or None.
    """
    sure = scores >= threshold
    doubtful = np.flatnonzero(~sure & (scores >= low_score))
    if expected is None or not len(expected) or not len(doubtful):
        return sure
    overlap = iou_matrix(boxes_xyxy[doubtful], expected)
    free = iou_matrix(boxes_xyxy[doubtful], boxes_xyxy[sure]).max(axis=1, initial=0.0) < TAKEN_OVERLAP
    keep = sure.copy()
    keep[doubtful[free & (overlap.max(axis=1) >= EXPECTED_OVERLAP)]] = True
    return keep
