"""Matrix NMS: lowers scores by overlap instead of dropping boxes one after the other (Wang et al., NeurIPS 2020, SOLOv2).

Legend: N boxes, C classes.
"""

from __future__ import annotations

from typing import Any, Mapping

import numpy as np

BLOCK = 256
"""Ranks that are handled together; bounds the memory to BLOCK x N overlaps."""


def matrix_nms(boxes_xyxy: np.ndarray, scores: np.ndarray, settings: Mapping[str, Any]) -> tuple[np.ndarray, ...]:
    """The boxes of all classes, with lowered scores.

    In each class, box i in the order of scores is lowered by its overlap o with every better box j, relative to what j itself
    lost at most to a better one (m): min over j of (1 - o) / (1 - m), or exp(sigma (m^2 - o^2)).

    A lowered score is never above the original, so once `keep_top_k` boxes are found, those with lower scores need no look.

    Args:
        boxes_xyxy: (N, 4).
        scores: (N, C).
        settings: `score_threshold` and `post_threshold` (both exclusive), `nms_top_k`, `keep_top_k` (-1 for all),
            `use_gaussian`, `gaussian_sigma`, `normalized` (False counts a side as x2 - x1 + 1), `background_label` (-1: none).

    Returns:
        Rows, their classes and their lowered scores, best first.
    """
    boxes = np.asarray(boxes_xyxy, np.float32).reshape(-1, 4)
    keep = int(settings["keep_top_k"])
    rows, labels, lowered = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
    for label in range(scores.shape[1]):
        if label == int(settings["background_label"]):
            continue
        candidates = np.flatnonzero(scores[:, label] > settings["score_threshold"])
        order = candidates[np.argsort(-scores[candidates, label], kind="stable")]
        order = order[: int(settings["nms_top_k"])] if int(settings["nms_top_k"]) > -1 else order
        bar = _bar(np.concatenate(lowered), keep)
        found = _lowered(boxes[order], np.asarray(scores[order, label], np.float32), settings, keep, bar)
        kept = np.flatnonzero(found > settings["post_threshold"])
        rows.append(order[kept])
        labels.append(np.full(len(kept), label, np.int64))
        lowered.append(found[kept])
    all_rows, all_labels, all_scores = np.concatenate(rows), np.concatenate(labels), np.concatenate(lowered)
    best = np.argsort(-all_scores, kind="stable")
    best = best[:keep] if keep > -1 else best
    return all_rows[best], all_labels[best], all_scores[best]


def _bar(lowered: np.ndarray, keep: int) -> float:
    """The score that a further box must exceed to be among the best `keep` (-1: all) of these and itself."""
    if keep < 0 or len(lowered) < keep:
        return -np.inf
    return np.inf if keep == 0 else float(np.partition(lowered, len(lowered) - keep)[len(lowered) - keep])


def _lowered(boxes: np.ndarray, scores: np.ndarray, settings: Mapping[str, Any], keep: int, bar: float) -> np.ndarray:
    """Lowered scores of the boxes of one class, which come best first; 0 for those that cannot be among the best.

    Args:
        boxes: (N, 4).
        scores: (N,).
        settings: see `matrix_nms`.
        keep, bar: see `_bar`, `bar` that of the other classes.
    """
    extra = 0.0 if settings["normalized"] else 1.0
    lowered, most = np.zeros_like(scores), np.zeros_like(scores)
    for start in range(0, len(boxes), BLOCK):
        stop = min(start + BLOCK, len(boxes))
        if scores[start] <= max(bar, _bar(lowered[:start], keep)):
            break
        overlap = _iou(boxes[start:stop], boxes[:stop], extra)
        better = np.arange(stop)[None] < np.arange(start, stop)[:, None]
        most[start:stop] = np.max(overlap, axis=1, where=better, initial=0.0)
        if settings["use_gaussian"]:
            decay = np.exp(settings["gaussian_sigma"] * (most[None, :stop] ** 2 - overlap**2))
        else:
            decay = (1 - overlap) / np.maximum(1 - most[None, :stop], np.finfo(np.float32).tiny)
        lowered[start:stop] = scores[start:stop] * np.min(decay, axis=1, where=better, initial=1.0)
    return lowered


def _iou(a: np.ndarray, b: np.ndarray, extra: float) -> np.ndarray:
    """(N, M); `extra` is added to each side, and boxes that are apart have 0 in any case."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    common = np.prod(high - low + extra, axis=2) * (high >= low).all(axis=2)
    areas = [np.prod(each[:, 2:] - each[:, :2] + extra, axis=1) * (each[:, 2:] >= each[:, :2]).all(axis=1) for each in (a, b)]
    union = areas[0][:, None] + areas[1][None] - common
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)
