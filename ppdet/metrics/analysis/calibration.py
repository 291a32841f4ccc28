"""Whether a keypoint's confidence says how often it is right, and the temperature that makes it so.

A keypoint is right if its OKS term is at least .5. Legend: P points, B bins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ppdet.core.errors import DataError
from ppdet.inference.score_calibration import SMALLEST, ScoreCalibration

BINS = 10
FEWEST_POINTS = 20
SHIFT_GAIN = 0.01
"""Share of the log loss that a shift must save beyond the temperature to be taken."""
_LOG_TEMPERATURES = (-4.0, 4.0)


@dataclass(frozen=True)
class Reliability:
    """A reliability plot.

    Attributes:
        confidence: (B,) mean confidence in each bin, NaN for empty bins.
        accuracy: (B,) share of right keypoints in each bin.
        count: (B,) points.
        ece: expected calibration error, the mean of |confidence - accuracy| weighted by count.
        log_loss: mean negative log likelihood in nats.
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    count: np.ndarray
    ece: float
    log_loss: float


@dataclass(frozen=True)
class CalibrationFit:
    """Reliability as it is, with a temperature, and with what is proposed: a temperature, and a shift if that helps."""

    before: Reliability
    temperature_only: ScoreCalibration
    with_temperature: Reliability
    proposed: ScoreCalibration
    after: Reliability


def reliability(scores: np.ndarray, correct: np.ndarray, bins: int = BINS) -> Reliability:
    """Bins of equal width.

    Args:
        scores: (P,) confidences; cut to 0 .. 1.
        correct: (P,) bool.
        bins: B.
    """
    scores, correct = np.clip(np.asarray(scores, np.float64), 0, 1), np.asarray(correct, np.float64)
    row = np.minimum((scores * bins).astype(int), bins - 1)
    count = np.bincount(row, minlength=bins)
    nan = np.full(bins, np.nan)
    confidence = np.divide(np.bincount(row, scores, bins), count, out=nan.copy(), where=count > 0)
    accuracy = np.divide(np.bincount(row, correct, bins), count, out=nan.copy(), where=count > 0)
    gap = np.nan_to_num(np.abs(confidence - accuracy))
    return Reliability(confidence, accuracy, count, float((gap * count).sum() / max(count.sum(), 1)), _log_loss(scores, correct))


def fit_calibration(scores: np.ndarray, correct: np.ndarray) -> CalibrationFit:
    """The temperature (and shift) of least log loss.

    Raises:
        DataError: fewer than 20 keypoints, all of them right or all wrong, or all with the same confidence.
    """
    from scipy.optimize import minimize, minimize_scalar

    scores, correct = np.asarray(scores, np.float64), np.asarray(correct, bool)
    if len(scores) < FEWEST_POINTS or correct.all() or not correct.any():
        raise DataError(
            f"{int(correct.sum())} of {len(scores)} keypoints are right: a calibration needs at least {FEWEST_POINTS} keypoints, "
            "some right and some wrong; give a larger validation set"
        )

    if np.ptp(scores) < SMALLEST:
        raise DataError(f"all keypoints have the confidence {scores[0]:g}: there is nothing to calibrate")

    def loss(parameters: np.ndarray) -> float:
        return _log_loss(ScoreCalibration(float(np.exp(parameters[0])), float(parameters[1]))(scores), correct)

    found = minimize_scalar(lambda value: loss(np.array([value, 0.0])), bounds=_LOG_TEMPERATURES, method="bounded")
    alone = ScoreCalibration(float(np.exp(found.x)))
    both = minimize(loss, np.array([found.x, 0.0]), method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-7})
    shifted = ScoreCalibration(float(np.exp(np.clip(both.x[0], *_LOG_TEMPERATURES))), float(both.x[1]))
    proposed = shifted if loss(both.x) < (1 - SHIFT_GAIN) * found.fun else alone
    return CalibrationFit(
        reliability(scores, correct), alone, reliability(alone(scores), correct),
        proposed, reliability(proposed(scores), correct),
    )  # fmt: skip


def _log_loss(scores: np.ndarray, correct: np.ndarray) -> float:
    p = np.clip(scores, SMALLEST, 1 - SMALLEST)
    return float(-np.where(np.asarray(correct) > 0, np.log(p), np.log(1 - p)).mean()) if len(p) else float("nan")
