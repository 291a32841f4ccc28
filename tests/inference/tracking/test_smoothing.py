"""Smoothing: less jitter, little lag, by person, at any number of keypoints and any frame rate."""

from __future__ import annotations

import numpy as np
import pytest

from ppdet.core.errors import ConfigError
from ppdet.inference.tracking.smoothing import PoseSmoother

BOXES = np.array([[0, 0, 100, 200]], float)


def run(smoother: PoseSmoother, track: np.ndarray, identity: int = 1) -> np.ndarray:
    """Smooth (T, K, 2) of one person."""
    ones = np.ones((1, track.shape[1]))
    return np.stack([smoother.smooth(frame[None], ones, np.array([identity]), BOXES)[0] for frame in track])


@pytest.mark.parametrize("filter_type", ["OneEuro", "EMA"])
@pytest.mark.parametrize("keypoints", [1, 17, 21, 133])
def test_jitter_of_a_still_person_shrinks(filter_type: str, keypoints: int) -> None:
    noise = np.random.default_rng(0).normal(0, 1.5, (200, keypoints, 2))
    smoothed = run(PoseSmoother(filter_type), 100 + noise)
    before, after = np.abs(np.diff(noise, axis=0)).mean(), np.abs(np.diff(smoothed, axis=0)).mean()
    assert after < before * {"OneEuro": 0.5, "EMA": 0.6}[filter_type]
    assert np.abs(smoothed[20:].mean(axis=0) - 100).max() < 1.0


def test_one_euro_lags_less_when_fast() -> None:
    def lag(speed: float) -> float:
        """Frames that the output is behind, when settled."""
        track = np.zeros((100, 1, 2))
        track[:, 0, 0] = speed * np.arange(100)
        return float((track[-1] - run(PoseSmoother("OneEuro"), track)[-1])[0, 0]) / speed

    assert 0 < lag(20.0) < 0.5 < lag(0.2)


def test_the_time_constant_does_not_depend_on_frame_rate() -> None:
    for filter_type in ("OneEuro", "EMA"):
        step = np.ones((240, 1, 2)) * 10
        step[0] = 0
        at_30 = run(PoseSmoother(filter_type, fps=30), step[:31])
        at_120 = run(PoseSmoother(filter_type, fps=120), step[:121])
        # the same moment, a tenth of a second after the step
        assert at_120[12, 0, 0] == pytest.approx(at_30[3, 0, 0], abs=1.5)


def test_people_do_not_mix_and_leave_nothing_behind() -> None:
    smoother = PoseSmoother("EMA")
    first, second = np.zeros((1, 2, 2)), np.full((1, 2, 2), 50.0)
    run(smoother, first, identity=1)
    np.testing.assert_array_equal(run(smoother, second, identity=2)[0], second[0])  # a newcomer starts where he is
    smoother.keep_only([2])
    np.testing.assert_array_equal(run(smoother, second, identity=1)[0], second[0])


def test_a_keypoint_that_reappears_does_not_slide_in() -> None:
    for filter_type in ("OneEuro", "EMA"):
        smoother = PoseSmoother(filter_type)
        ids = np.array([1])
        smoother.smooth(np.zeros((1, 2, 2)), np.array([[0.9, 0.9]]), ids, BOXES)
        smoother.smooth(np.zeros((1, 2, 2)), np.array([[0.9, 0.0]]), ids, BOXES)
        got = smoother.smooth(np.full((1, 2, 2), 40.0), np.array([[0.9, 0.9]]), ids, BOXES)[0]
        assert got[0, 0] < 40.0
        np.testing.assert_array_equal(got[1], [40.0, 40.0])


def test_bad_frame_rates_and_filters() -> None:
    for fps in (0.0, float("nan"), -1.0):
        assert PoseSmoother("EMA", fps=fps).frame_step == 1.0
    with pytest.raises(ConfigError, match="OneEuro or EMA"):
        PoseSmoother("Kalman")


def test_time_stamps_beat_the_frame_rate() -> None:
    ids, ones = np.array([1]), np.ones((1, 1))

    def value(seconds: list[float | None], fps: float) -> float:
        smoother = PoseSmoother("EMA", fps)
        smoother.smooth(np.zeros((1, 1, 2)), ones, ids, BOXES, seconds[0])
        return [smoother.smooth(np.full((1, 1, 2), 10.0), ones, ids, BOXES, each)[0, 0, 0] for each in seconds[1:]][-1]

    expected = value([None] * 4, fps=30)
    assert value([0.0, 0.1], fps=30) == pytest.approx(expected)  # two frames were dropped
    assert value([5.0, 5.05, 5.1], fps=60) == pytest.approx(expected)
    assert value([5.0, 1.0, 0.5, 0.2], fps=30) == pytest.approx(expected)  # stamps that run backwards
