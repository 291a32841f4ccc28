"""Turns detector outputs into boxes: three layouts, from bare heads to finished boxes.

Legend: B batch, A anchor points of all levels, C classes, M boxes of the whole batch, R = reg_max + 1 bins of a side.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ppdet.core.errors import ModelDirError
from ppdet.geometry.boxes import nms
from ppdet.geometry.matrix_nms import matrix_nms
from ppdet.inference.estimators.detections import Detections

DEFAULT_NMS = {"score_threshold": 0.025, "nms_threshold": 0.6, "nms_top_k": 1000, "keep_top_k": 100}
"""Of PaddleDetection's PicoDet configs; for heads without an `nms` section and for cards that leave a setting out."""


MATRIX_NMS = "MatrixNMS"
DEFAULT_MATRIX_NMS = {
    "score_threshold": 0.05, "post_threshold": 0.05, "nms_top_k": -1, "keep_top_k": 100, "use_gaussian": False,
    "gaussian_sigma": 2.0, "normalized": False, "background_label": 0,
}  # fmt: skip
"""Of PaddleDetection's class, for cards that leave a setting out."""


def suppress(boxes_xyxy: np.ndarray, scores: np.ndarray, settings: Mapping[str, Any]) -> Detections:
    """The suppression that a card names: Matrix NMS, or else the classic one.

    Args:
        boxes_xyxy: (A, 4).
        scores: (A, C).
        settings: the card's `NMS` section.
    """
    if settings.get("name") != MATRIX_NMS:
        return classwise_nms(boxes_xyxy, scores, settings)
    rows, labels, lowered = matrix_nms(boxes_xyxy, scores, {**DEFAULT_MATRIX_NMS, **settings})
    return Detections.from_rows(boxes_xyxy[rows], lowered, labels)


def decode_distribution(logits: np.ndarray) -> np.ndarray:
    """Distances of the four sides in units of the stride: the mean of a discrete distribution over 0..R-1.

    Source: Li et al., Generalized Focal Loss, NeurIPS 2020, eq. 4.

    Args:
        logits: (A, 4 R).

    Returns:
        (A, 4) left, top, right, bottom.
    """
    bins = logits.reshape(len(logits), 4, -1).astype(np.float32)
    weights = np.exp(bins - bins.max(axis=2, keepdims=True))
    weights /= weights.sum(axis=2, keepdims=True)
    return weights @ np.arange(bins.shape[2], dtype=np.float32)


def anchor_centers(height: int, width: int, stride: int) -> np.ndarray:
    """(A, 2) xy of the cells' centres in network pixels, row by row."""
    ys, xs = np.mgrid[:height, :width]
    return ((np.stack([xs.ravel(), ys.ravel()], axis=1) + 0.5) * stride).astype(np.float32)


def decode_raw_heads(
    scores: Sequence[np.ndarray],
    distances: Sequence[np.ndarray],
    strides: Sequence[int],
    input_hw: tuple[int, int],
    nms_settings: Mapping[str, Any],
) -> Detections:
    """Boxes of one image from a PicoDet that was exported without its post-processing.

    Args:
        scores: (A_level, C) per level, probabilities.
        distances: (A_level, 4 R) per level, logits of the sides' distributions.
        strides: of each level.
        input_hw: network input size, height first.
        nms_settings: the card's `NMS` section.

    Returns:
        Boxes in network pixels.
    """
    top_k = int(nms_settings.get("nms_top_k", DEFAULT_NMS["nms_top_k"]))
    boxes, probabilities = [], []
    for level_scores, level_distances, stride in zip(scores, distances, strides):
        height, width = (-(-side // stride) for side in input_hw)
        if height * width != len(level_scores):
            raise ModelDirError(f"the level of stride {stride} has {len(level_scores)} points; an input of {input_hw[0]} x "
                                f"{input_hw[1]} gives {height * width}: fpn_stride of the card and the network disagree")
        keep = np.argsort(-level_scores.max(axis=1), kind="stable")[: top_k if top_k > 0 else None]
        centers = anchor_centers(height, width, stride)[keep]
        sides = decode_distribution(level_distances[keep]) * stride
        boxes.append(np.concatenate([centers - sides[:, :2], centers + sides[:, 2:]], axis=1))
        probabilities.append(level_scores[keep])
    return classwise_nms(np.concatenate(boxes), np.concatenate(probabilities), nms_settings)


def classwise_nms(boxes_xyxy: np.ndarray, scores: np.ndarray, settings: Mapping[str, Any]) -> Detections:
    """Non-maximum suppression per class, then the best of all classes; see `classwise_rows`."""
    rows, labels = classwise_rows(boxes_xyxy, scores, settings)
    return Detections.from_rows(boxes_xyxy[rows], scores[rows, labels], labels)


def classwise_rows(boxes_xyxy: np.ndarray, scores: np.ndarray, settings: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """What non-maximum suppression per class keeps.

    Args:
        boxes_xyxy: (A, 4).
        scores: (A, C).
        settings: `score_threshold`, `nms_threshold`, `nms_top_k`, `keep_top_k` (-1 keeps all).

    Returns:
        Rows and their classes, best score first.
    """
    settings = {**DEFAULT_NMS, **settings}
    top_k, keep_top_k = int(settings["nms_top_k"]), int(settings["keep_top_k"])
    rows, labels = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for label in range(scores.shape[1]):
        candidates = np.flatnonzero(scores[:, label] > settings["score_threshold"])
        order = np.argsort(-scores[candidates, label], kind="stable")[: top_k if top_k > 0 else None]
        candidates = candidates[order]
        kept = candidates[nms(boxes_xyxy[candidates], scores[candidates, label], float(settings["nms_threshold"]))]
        rows.append(kept)
        labels.append(np.full(len(kept), label, np.int64))
    all_rows, all_labels = np.concatenate(rows), np.concatenate(labels)
    best = np.argsort(-scores[all_rows, all_labels], kind="stable")[: keep_top_k if keep_top_k > 0 else None]
    return all_rows[best], all_labels[best]


def split_finished_boxes(rows: np.ndarray, counts: np.ndarray) -> list[Detections]:
    """Boxes of a graph with its own NMS: rows [label, score, x1, y1, x2, y2] of all images, and how many each has.

    Args:
        rows: (M, 6).
        counts: (B,) integers that add up to M.
    """
    counts = np.asarray(counts).reshape(-1).astype(np.int64)
    if counts.sum() > len(rows):
        raise ModelDirError(f"the detector announces {counts.sum()} boxes and gives {len(rows)}: its outputs are not those of "
                            "a graph with NMS inside; export the model again")
    starts = np.concatenate([[0], np.cumsum(counts)])
    found = []
    for start, end in zip(starts[:-1], starts[1:]):
        image_rows = np.asarray(rows[start:end], np.float32).reshape(-1, 6)
        image_rows = image_rows[image_rows[:, 0] >= 0]  # Paddle writes label -1 for "no box"
        found.append(Detections.from_rows(image_rows[:, 2:], image_rows[:, 1], image_rows[:, 0]))
    return found
