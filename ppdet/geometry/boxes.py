"""Boxes as (N, 4) ``xyxy`` floats in image pixels, ``w = x2 - x1``."""

from __future__ import annotations

import numpy as np


def xyxy_from_xywh(boxes_xywh: np.ndarray) -> np.ndarray:
    """(N, 4) boxes of corner and size (COCO) to two corners."""
    boxes = np.asarray(boxes_xywh, np.float64).reshape(-1, 4)
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def xywh_from_xyxy(boxes_xyxy: np.ndarray) -> np.ndarray:
    """(N, 4) boxes of two corners to corner and size (COCO)."""
    boxes = np.asarray(boxes_xyxy, np.float64).reshape(-1, 4)
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)


def clip_boxes(boxes_xyxy: np.ndarray, image_wh: tuple[int, int]) -> np.ndarray:
    """Boxes clipped to the image's pixel centres, 0 to size - 1."""
    limit = np.array([*image_wh, *image_wh], np.float64) - 1
    return np.clip(np.asarray(boxes_xyxy, np.float64).reshape(-1, 4), 0, limit)


def box_areas(boxes_xyxy: np.ndarray) -> np.ndarray:
    """(N,) areas; an inverted box has area 0."""
    boxes = np.asarray(boxes_xyxy, np.float64).reshape(-1, 4)
    return np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)


def iou_matrix(a_xyxy: np.ndarray, b_xyxy: np.ndarray) -> np.ndarray:
    """(N, M) intersection over union; 0 where both boxes are empty."""
    a = np.asarray(a_xyxy, np.float64).reshape(-1, 4)
    b = np.asarray(b_xyxy, np.float64).reshape(-1, 4)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    inter = np.prod(np.maximum(high - low, 0), axis=2)
    union = box_areas(a)[:, None] + box_areas(b)[None, :] - inter
    return np.divide(inter, union, out=np.zeros_like(inter), where=union > 0)


def nms(boxes_xyxy: np.ndarray, scores: np.ndarray, threshold: float) -> np.ndarray:
    """Greedy non-maximum suppression.

    Args:
        boxes_xyxy: (N, 4).
        scores: (N,).
        threshold: a box is suppressed if its IoU with a better box that was kept exceeds this.

    Returns:
        Indices of the kept boxes, best first.
    """
    boxes = np.asarray(boxes_xyxy, np.float64).reshape(-1, 4)
    rest = np.argsort(-np.asarray(scores, np.float64), kind="stable")
    keep = []
    while len(rest):  # row by row: a matrix of all pairs would take gigabytes for the candidates of a crowd
        best, rest = rest[0], rest[1:]
        keep.append(best)
        rest = rest[iou_matrix(boxes[best], boxes[rest])[0] <= threshold]
    return np.array(keep, dtype=np.int64)


def greedy_suppression(order: np.ndarray, overlap: np.ndarray, threshold: float) -> np.ndarray:
    """Greedy suppression.

    Args:
        order: (N,) indices, best first.
        overlap: (N, N).
        threshold: an item is suppressed if its overlap with a better item that was kept exceeds this.

    Returns:
        Indices of the kept items, best first.
    """
    alive = np.ones(len(order), bool)
    keep = []
    for i in order:
        if alive[i]:
            keep.append(i)
            alive &= overlap[i] <= threshold
            alive[i] = False
    return np.array(keep, dtype=np.int64)


def longer_sides(boxes: np.ndarray) -> np.ndarray:
    """(N,) of (N, 4) xyxy boxes."""
    return (boxes[:, 2:] - boxes[:, :2]).max(axis=1) if len(boxes) else np.zeros(0, np.float32)
