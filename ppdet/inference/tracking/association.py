"""Who is who: similarity of the people of a frame to those expected, and the best assignment.

Legend: N people of this frame, T tracks, K keypoints, P pairs.
"""
from __future__ import annotations

import numpy as np

from ppdet.geometry.assignment import assign
from ppdet.geometry.boxes import iou_matrix
from ppdet.inference.tracking.motion import corner_boxes

# With fewer keypoints that both poses show, OKS says too little.
FEWEST_KEYPOINTS = 3
# Pairs whose boxes overlap less than this get no OKS.
LEAST_OVERLAP = 0.02
# Camera motion needs so many people, and must explain the frame better than none by this factor.
FEWEST_FOR_CAMERA = 3
CAMERA_GAIN = 0.5
# A shift below this share of a person's size is not worth a compensation.
SMALLEST_SHIFT = 0.05


def similarities(
    boxes: np.ndarray, keypoints: np.ndarray, visible: np.ndarray, expected_boxes: np.ndarray, expected_keypoints: np.ndarray,
    expected_visible: np.ndarray, sigmas: np.ndarray, oks_weight: float,
) -> np.ndarray:
    """(N, T) weighted mean of box IoU and OKS; IoU alone where too few keypoints are visible in both.

    Args:
        boxes: (N, 4) cx, cy, w, h.
        keypoints: (N, K, 2).
        visible: (N, K).
        expected_boxes, expected_keypoints, expected_visible: (T, ...) of the tracks.
        sigmas: (K,).
        oks_weight: share of OKS.
    """
    similarity = iou_matrix(corner_boxes(boxes), corner_boxes(expected_boxes))
    if oks_weight <= 0:
        return similarity
    rows, columns = np.nonzero(similarity > LEAST_OVERLAP)
    if not len(rows):
        return similarity
    area = (boxes[rows, 2] * boxes[rows, 3] + expected_boxes[columns, 2] * expected_boxes[columns, 3]) / 2
    squared = np.square(keypoints[rows] - expected_keypoints[columns]).sum(axis=2)
    both = visible[rows] & expected_visible[columns]
    count = both.sum(axis=1)
    oks = (np.exp(-squared / (8 * sigmas**2 * area[:, None])) * both).sum(axis=1) / np.maximum(count, 1)
    overlap = similarity[rows, columns]
    similarity[rows, columns] = np.where(count < FEWEST_KEYPOINTS, overlap, (1 - oks_weight) * overlap + oks_weight * oks)
    return similarity


def match(similarity: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of greatest total similarity.

    Pairs in which neither has another candidate need no assignment, which is nearly all of them in most frames.

    Args:
        similarity: (N, T).
        least: pairs below are different people.

    Returns:
        (P,) rows and (P,) columns.
    """
    allowed = similarity >= least
    per_row, per_column = allowed.sum(axis=1), allowed.sum(axis=0)
    rows, columns = np.nonzero(allowed & (per_row == 1)[:, None] & (per_column == 1))
    per_row[rows], per_column[columns] = 0, 0
    open_rows, open_columns = np.flatnonzero(per_row), np.flatnonzero(per_column)
    if not len(open_rows):
        return rows, columns
    place = np.ix_(open_rows, open_columns)
    more_rows, more_columns = assign(-np.where(allowed[place], similarity[place], 0.0))
    more_rows, more_columns = open_rows[more_rows], open_columns[more_columns]
    good = allowed[more_rows, more_columns]
    return np.concatenate([rows, more_rows[good]]), np.concatenate([columns, more_columns[good]])


def enlarged(boxes: np.ndarray, margin: float) -> np.ndarray:
    """(N, 4) cx, cy, w, h with sides longer by a share (Yang et al., Cascaded-Buffered IoU, WACV 2023)."""
    return boxes * np.array([1.0, 1.0, 1.0 + margin, 1.0 + margin])


def camera_shift(boxes: np.ndarray, expected: np.ndarray) -> np.ndarray | None:
    """The (2,) shift in pixels by which everybody is off the place expected, or None if there is no such shift.

    The median of the vectors from each expected centre to the nearest centre found, refined twice. It counts only if it halves
    the median distance: people who walk in different directions have no shift in common.

    Args:
        boxes: (N, 4) cx, cy, w, h found.
        expected: (T, 4) of people who were seen in the previous frame.
    """
    if min(len(boxes), len(expected)) < FEWEST_FOR_CAMERA:
        return None
    size = float(np.median(expected[:, 2:].max(axis=1)))
    shift, distances = np.zeros(2), []
    for _ in range(3):
        vectors = boxes[None, :, :2] - (expected[:, None, :2] + shift)
        squared = np.square(vectors).sum(axis=2)
        nearest = squared.argmin(axis=1)
        distances.append(float(np.median(np.sqrt(squared[np.arange(len(expected)), nearest]))))
        if distances[0] < SMALLEST_SHIFT * size:
            return None
        shift = shift + np.median(vectors[np.arange(len(expected)), nearest], axis=0)
    return shift if distances[-1] < CAMERA_GAIN * distances[0] else None
