"""Calibration on synthetic scores whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from ppdet.core.errors import DataError
from ppdet.inference.score_calibration import ScoreCalibration, logit
from ppdet.metrics.analysis.calibration import fit_calibration, reliability


def drawn(temperature: float, shift: float = 0.0, count: int = 40000) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and whether each is right: with the probability that the calibration gives to the score."""
    rng = np.random.default_rng(0)
    scores = rng.uniform(0.02, 0.98, count)
    return scores, rng.random(count) < ScoreCalibration(temperature, shift)(scores)


def test_ece_by_hand() -> None:
    """Bins .2 to .3 (2 points, mean .25, none right) and .9 to 1 (2 points, mean .95, one right): (2 x .25 + 2 x .45) / 4."""
    found = reliability(np.array([0.22, 0.28, 0.91, 0.99]), np.array([False, False, True, False]))
    assert found.ece == pytest.approx((0.25 + 0.45) / 2) and found.count.tolist() == [0, 0, 2, 0, 0, 0, 0, 0, 0, 2]
    assert found.confidence[9] == pytest.approx(0.95) and found.accuracy[9] == 0.5 and np.isnan(found.accuracy[0])


def test_scores_beyond_one_are_in_the_last_bin() -> None:
    assert reliability(np.array([1.0, 1.3, -0.2]), np.array([True, True, False])).ece == pytest.approx(0)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_is_found_again(temperature: float) -> None:
    fit = fit_calibration(*drawn(temperature))
    assert fit.temperature_only.temperature == pytest.approx(temperature, rel=0.05)
    assert fit.proposed.shift == 0 and fit.after.ece < 0.01
    if temperature != 1:
        assert fit.before.ece > 5 * fit.after.ece


def test_a_shift_is_found_again() -> None:
    fit = fit_calibration(*drawn(0.7, 2.0))
    assert fit.proposed.temperature == pytest.approx(0.7, rel=0.08) and fit.proposed.shift == pytest.approx(2, rel=0.08)
    assert fit.after.ece < 0.01 < fit.with_temperature.ece


def test_the_order_of_scores_stays_and_the_card_keeps_them() -> None:
    scores = np.linspace(0, 1, 101).astype(np.float32)
    given = ScoreCalibration(1.7, -0.4)
    calibrated = given(scores)
    assert calibrated.dtype == np.float32 and (np.diff(calibrated) >= 0).all()
    again = ScoreCalibration.from_card(given.to_dict())
    assert again == given and ScoreCalibration.from_card(None) is None
    assert ScoreCalibration()(scores[1:-1]) == pytest.approx(scores[1:-1], abs=1e-6)
    assert np.isfinite(logit(np.array([0.0, 1.0]))).all()


@pytest.mark.parametrize(
    ("scores", "correct"),
    [
        (np.full(10, 0.5), np.arange(10) % 2 == 0),
        (np.linspace(0, 1, 50), np.ones(50)),
        (np.full(50, 0.5), np.arange(50) % 2 == 0),
    ],
)
def test_too_little_to_calibrate(scores: np.ndarray, correct: np.ndarray) -> None:
    with pytest.raises(DataError):
        fit_calibration(scores, correct)
