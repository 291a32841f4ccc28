"""Turns distances into figures: over all keypoints and per keypoint, with bootstrap intervals.

Every figure is a function of sums over points, so that a bootstrap sample of the images is a weighted sum:
"mean" figures are sum / count; SD needs the sum of squares too.

Legend: N objects, M images, K keypoints, R bootstrap samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Sequence, Tuple

import numpy as np

from ppdet.metrics.landmarks.figure_names import Figure
from ppdet.metrics.landmarks.point_errors import PointErrors
from ppdet.metrics.pckh import AUC_STEPS

CONFIDENCE = 0.95
_MEAN_OVER_KEYPOINTS = ("PCK", "AUC")
"""As in MMPose: each keypoint weighs the same, however often it is labelled. All others weigh each labelled point the same."""


@dataclass(frozen=True)
class FigureTable:
    """One figure with its intervals.

    Attributes:
        figure: which one.
        value: over all keypoints; NaN if nothing counts.
        interval: (2,) 95 % bootstrap interval of it, NaN with fewer than two images.
        count: (K,) points that count.
        per_keypoint: (K,) values, NaN if a keypoint never counts.
        intervals: (K, 2) intervals.
    """

    figure: Figure
    value: float
    interval: np.ndarray
    count: np.ndarray
    per_keypoint: np.ndarray
    intervals: np.ndarray


def point_values(figure: Figure, errors: PointErrors) -> np.ndarray:
    """(N, K) contribution of each point; NaN where it does not count.

    Errors (EPE, NME, MRE, SD) are over found objects. For shares (PCK, PCKh, AUC, SDR) the points of missed objects are wrong.
    """
    if figure.needs_spacing:
        assert errors.millimetres is not None, "checked by the metric"
        distance = errors.millimetres
    else:
        distance = errors.pixels
    if figure.family in ("PCK", "NME"):
        distance = distance / np.where(errors.unit > 0, errors.unit, np.nan)[:, None]
    elif figure.family == "PCKh":
        distance = distance / np.where(errors.head > 0, errors.head, np.nan)[:, None]
    if figure.lower_is_better:
        return np.where(np.isfinite(distance), distance, np.nan)
    assert figure.threshold is not None
    if figure.family == "AUC":
        limits = figure.threshold * np.arange(AUC_STEPS) / AUC_STEPS
        share = (distance[..., None] <= limits).mean(axis=-1)
    else:
        share = (distance <= figure.threshold).astype(np.float64)
    return np.where(np.isnan(distance), np.nan, share)


def tabulate(figures: Sequence[Figure], errors: PointErrors, samples: int = 1000, seed: int = 0) -> List[FigureTable]:
    """All figures with percentile bootstrap intervals over images.

    Args:
        figures: without those of AP.
        errors: of all objects.
        samples: R; 0 for no intervals.
        seed: of the resampling.
    """
    groups, rows = np.unique(errors.group, return_inverse=True)
    weights = _resampled(len(groups), samples, seed)
    return [_table(figure, point_values(figure, errors), rows.reshape(-1), weights) for figure in figures]


def figure_values(figures: Sequence[Figure], errors: PointErrors) -> Dict[str, float]:
    """Only the values, by name."""
    return {table.figure.name: table.value for table in tabulate(figures, errors, samples=0)}


def _resampled(images: int, samples: int, seed: int) -> np.ndarray:
    """(R, M) how often each image is drawn."""
    if images < 2 or samples < 1:
        return np.zeros((0, images))
    return np.random.default_rng(seed).multinomial(images, np.full(images, 1 / images), size=samples).astype(np.float64)


def _table(figure: Figure, values: np.ndarray, rows: np.ndarray, weights: np.ndarray) -> FigureTable:
    sums = _sums(values, rows, weights.shape[1])
    value, per_keypoint = _combined(figure, tuple(each.sum(axis=0) for each in sums))
    drawn, drawn_per_keypoint = _combined(figure, tuple(weights @ each for each in sums))
    count = sums[2].sum(axis=0).astype(np.int64)
    return FigureTable(figure, float(value), _interval(drawn), count, per_keypoint, _interval(drawn_per_keypoint).T)


def _sums(values: np.ndarray, rows: np.ndarray, images: int) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(M, K) sums, sums of squares and counts of each image."""
    counts = np.isfinite(values)
    plain = np.where(counts, values, 0.0)
    totals = []
    for each in (plain, plain**2, counts.astype(np.float64)):
        total = np.zeros((images, values.shape[1]))
        np.add.at(total, rows, each)
        totals.append(total)
    return totals[0], totals[1], totals[2]


def _combined(figure: Figure, sums: Tuple[np.ndarray, ...]) -> Tuple[np.ndarray, np.ndarray]:
    """Value (...) and values per keypoint (..., K) of sums (..., K)."""
    per_keypoint = _of_sums(figure, *sums)
    if figure.family in _MEAN_OVER_KEYPOINTS:
        known = np.isfinite(per_keypoint)
        total = np.where(known, per_keypoint, 0.0).sum(axis=-1)
        count = known.sum(axis=-1)
        return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0), per_keypoint
    return _of_sums(figure, *(each.sum(axis=-1) for each in sums)), per_keypoint


def _of_sums(figure: Figure, total: np.ndarray, squares: np.ndarray, count: np.ndarray) -> np.ndarray:
    nan = np.full(np.shape(total), np.nan)
    mean = np.divide(total, count, out=nan.copy(), where=count > 0)
    if figure.family != "SD":
        return mean
    spread = np.maximum(squares - total * np.nan_to_num(mean), 0)
    return np.sqrt(np.divide(spread, count - 1, out=nan, where=count > 1))


def _interval(drawn: np.ndarray) -> np.ndarray:
    """Percentiles (2, ...) over the first axis; NaN if there is no sample, or none in which the figure exists."""
    shape = (2, *drawn.shape[1:])
    if not len(drawn):
        return np.full(shape, np.nan)
    tail = 100 * (1 - CONFIDENCE) / 2
    known = np.isfinite(drawn).any(axis=0)
    filled = np.where(known, drawn, 0.0)
    limits: np.ndarray = np.nanpercentile(filled, [tail, 100 - tail], axis=0)
    return np.where(known, limits, np.nan)
