"""PCKh: fraction of keypoints within a multiple of the head size (Andriluka et al., CVPR 2014).

Axes: N persons, K keypoints.
"""

from __future__ import annotations

from typing import Sequence

import numpy as np

# The head's size is 0.6 x the diagonal of the annotated head box, as in the MPII evaluation kit.
HEAD_SIZE_PER_DIAGONAL = 0.6
AUC_STEPS = 20
"""AUC is the mean of PCK at 0, 1, ..., 19 twentieths of its limit."""


def correct_within(
    xy: np.ndarray, truth_xy: np.ndarray, visible: np.ndarray, unit: np.ndarray, threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """Count keypoints within `threshold` x `unit` of the truth.

    Args:
        xy, truth_xy: (N,K,2).
        visible: (N,K) 1 where the truth is labelled.
        unit: (N,) reference length of each person in pixels.
        threshold: multiple of `unit`.

    Returns:
        (K,) correct and (K,) labelled keypoints.
    """
    distance = np.linalg.norm(np.asarray(xy, np.float64) - truth_xy, axis=-1) / np.asarray(unit, np.float64)[:, None]
    labelled = np.asarray(visible) > 0
    return ((distance <= threshold) & labelled).sum(0), labelled.sum(0)


def head_sizes(head_boxes_xyxy: np.ndarray) -> np.ndarray:
    """(N,) head sizes of (N,4) head boxes."""
    boxes = np.asarray(head_boxes_xyxy, np.float64)
    return HEAD_SIZE_PER_DIAGONAL * np.linalg.norm(boxes[:, 2:] - boxes[:, :2], axis=1)


def pck_table(names: Sequence[str], correct: np.ndarray, labelled: np.ndarray) -> str:
    """Per-keypoint table of (K,) correct and labelled counts; keypoints that were never labelled show a dash."""
    rows = ["| keypoint | labelled | PCK |", "|---|---|---|"]
    for name, right, count in zip(names, correct.tolist(), labelled.tolist()):
        rows.append(f"| {name} | {count} | {f'{right / count:.3f}' if count else '-'} |")
    return "\n".join(rows)
