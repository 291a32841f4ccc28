"""Similarity of the people of a frame to those expected, and the best assignment.

Legend: N people of this frame, T tracks, K keypoints, P pairs.
"""
from __future__ import annotations

import numpy as np

from ppdet.geometry.assignment import assign

# With fewer keypoints that both poses show, OKS says too little.
FEWEST_KEYPOINTS = 3
# Pairs whose boxes overlap less than this get no OKS.
LEAST_OVERLAP = 0.02
# Camera motion needs this many people, and must raise the sum of their overlaps by this factor.
FEWEST_FOR_CAMERA, CAMERA_GAIN = 3, 1.1
# Smallest and largest shift, in sizes; largest log ratio of the heights of one person; largest deviation from a shift that still
# agrees with it, in sizes.
SMALLEST_SHIFT, FARTHEST_SHIFT, LIKE_SIZE, AGREEMENT = 0.05, 1.0, 0.2, 0.08
MOST_CANDIDATES = 150



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
    similarity = overlaps(boxes, expected_boxes)
    if oks_weight <= 0:
        return similarity
    rows, columns = np.nonzero(similarity > LEAST_OVERLAP)
    if not len(rows):
        return similarity
    area = (boxes[rows, 2] * boxes[rows, 3] + expected_boxes[columns, 2] * expected_boxes[columns, 3]) / 2
    apart = keypoints[rows] - expected_keypoints[columns]
    squared = apart[..., 0] ** 2 + apart[..., 1] ** 2
    both = visible[rows] & expected_visible[columns]
    count = both.sum(axis=1)
    oks = (np.exp(-squared / (8 * sigmas**2 * area[:, None])) * both).sum(axis=1) / np.maximum(count, 1)
    overlap = similarity[rows, columns]
    similarity[rows, columns] = np.where(count < FEWEST_KEYPOINTS, overlap, (1 - oks_weight) * overlap + oks_weight * oks)
    return similarity


def overlaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N, T) IoU of boxes given by centre and size: `geometry.iou_matrix` with fewer steps, since sides are at least a pixel."""
    reach = (a[:, None, 2:] + b[None, :, 2:]) / 2 - np.abs(a[:, None, :2] - b[None, :, :2])
    shared = np.minimum(np.maximum(reach, 0.0), np.minimum(a[:, None, 2:], b[None, :, 2:]))
    inter = shared[..., 0] * shared[..., 1]
    return inter / ((a[:, 2] * a[:, 3])[:, None] + b[:, 2] * b[:, 3] - inter)


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
    """The (2,) shift in pixels that most people have in common, or None if there is no such shift.

    The candidates are the vectors from each expected person to each person found nearby and of similar size; the one that most
    others agree with wins. It counts only if it explains at least half of the people and raises the sum of their overlaps.

    Args:
        boxes: (N, 4) cx, cy, w, h found.
        expected: (T, 4) of people who were seen in the previous frame.
    """
    if min(len(boxes), len(expected)) < FEWEST_FOR_CAMERA:
        return None
    sizes = expected[:, 2:].max(axis=1)
    # One coordinate at a time here and below: NumPy is slow over a last axis of two.
    far = np.maximum(np.abs(boxes[:, 0] - expected[:, :1]), np.abs(boxes[:, 1] - expected[:, 1:2])) / sizes[:, None]
    if np.median(far.min(axis=1)) < SMALLEST_SHIFT:
        return None
    alike = np.abs(np.log(boxes[None, :, 3] / expected[:, None, 3])) < LIKE_SIZE
    rows, columns = np.nonzero(alike & (far < FARTHEST_SHIFT))
    if len(rows) < FEWEST_FOR_CAMERA:
        return None
    pixels = boxes[columns, :2] - expected[rows, :2]
    tolerance = AGREEMENT * float(np.median(sizes))
    some = pixels[:: max(1, len(pixels) // MOST_CANDIDATES)]
    agree = (np.abs(some[:, :1] - pixels[:, 0]) < tolerance) & (np.abs(some[:, 1:] - pixels[:, 1]) < tolerance)
    best = agree[int(agree.sum(axis=1).argmax())]
    if len(np.unique(rows[best])) < max(FEWEST_FOR_CAMERA, len(expected) / 2):
        return None
    shift = pixels[best].mean(axis=0)
    moved = expected + np.concatenate([shift, np.zeros(2)])
    before, after = (overlaps(each, boxes).max(axis=1).sum() for each in (expected, moved))
    return shift if after > CAMERA_GAIN * before else None
