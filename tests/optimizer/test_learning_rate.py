"""The learning-rate curves: numbers by hand, and the same numbers in the Paddle scheduler."""

from __future__ import annotations

import numpy as np
import pytest

from ppdet.core.errors import ConfigError
from ppdet.optimizer.cosine_decay import CosineDecay
from ppdet.optimizer.exp_warmup import ExpWarmup
from ppdet.optimizer.learning_rate import LearningRate
from ppdet.optimizer.linear_warmup import LinearWarmup
from ppdet.optimizer.piecewise_decay import PiecewiseDecay


def test_tinypose_recipe():
    rate = LearningRate(0.008, [PiecewiseDecay(gamma=0.1, milestones=[380, 410]), LinearWarmup(steps=500, start_factor=0.001)])
    curve = rate.curve(steps_per_epoch=10)
    assert curve.value(0) == pytest.approx(0.008 * 0.001)
    assert curve.value(250) == pytest.approx(0.008 * (0.001 * 0.5 + 0.5))
    assert curve.value(500) == pytest.approx(0.008)
    assert curve.value(3799) == pytest.approx(0.008)
    assert curve.value(3800) == pytest.approx(0.0008)
    assert curve.value(4100) == pytest.approx(0.00008)


def test_scalar_gamma_is_a_power():
    decay = PiecewiseDecay(gamma=0.5, milestones=[1, 2, 3])
    assert [decay.value(s, 1.0, 10, 0) for s in (0, 9, 10, 20, 30)] == [1.0, 1.0, 0.5, 0.25, 0.125]


def test_list_gamma_is_taken_as_given():
    decay = PiecewiseDecay(gamma=[0.3, 0.07], milestones=[1, 2])
    assert [decay.value(s, 2.0, 5, 0) for s in (4, 5, 10)] == [2.0, 0.6, pytest.approx(0.14)]


def test_values_are_absolute():
    decay = PiecewiseDecay(milestones=[1, 2], values=[3.0, 2.0, 1.0])
    assert [decay.value(s, 99.0, 5, 0) for s in (0, 5, 10)] == [3.0, 2.0, 1.0]


@pytest.mark.parametrize(
    "kwargs", [{"gamma": [0.1], "milestones": [1, 2]}, {"milestones": [2, 1]}, {"milestones": [1], "values": [1.0]}]
)
def test_piecewise_mistakes_are_named(kwargs):
    with pytest.raises(ConfigError, match="PiecewiseDecay"):
        PiecewiseDecay(**kwargs)


def test_cosine_runs_from_the_end_of_the_warmup_to_the_plateau():
    rate = LearningRate(1.0, [CosineDecay(max_epochs=10, min_lr_ratio=0.1, last_plateau_epochs=2), LinearWarmup(steps=20)])
    curve = rate.curve(steps_per_epoch=10)
    assert curve.value(20) == pytest.approx(1.0)
    assert curve.value(50) == pytest.approx(0.55)  # half way from 20 to 80
    assert curve.value(80) == pytest.approx(0.1)
    assert curve.value(1000) == pytest.approx(0.1)
    assert np.all(np.diff(curve.values(100)[20:]) <= 1e-12)


def test_cosine_after_a_level_start():
    """RTMPose's schedule: warm-up, level until half of the epochs, half a cosine to a twentieth."""
    rate = LearningRate(1.0, [CosineDecay(max_epochs=10, min_lr_ratio=0.05, first_plateau_epochs=5), LinearWarmup(steps=20)])
    curve = rate.curve(steps_per_epoch=10)
    np.testing.assert_allclose([curve.value(step) for step in (20, 49, 50, 75, 100)], [1, 1, 1, 0.525, 0.05], atol=1e-3)
    with pytest.raises(ConfigError, match="plateaus of 6 and 4 epochs leave nothing of max_epochs 10"):
        CosineDecay(max_epochs=10, first_plateau_epochs=6, last_plateau_epochs=4)


def test_warmup_length_in_epochs_overrides_steps():
    assert LinearWarmup(steps=500, epochs=2).length(30) == 60
    assert ExpWarmup(epochs=1.5).length(30) == 45


def test_exp_warmup_is_a_power():
    curve = LearningRate(1.0, [ExpWarmup(steps=10, power=2)]).curve(5)
    assert curve.value(5) == pytest.approx(0.25)
    assert curve.value(10) == 1.0


def test_use_warmup_false_leaves_the_warmup_out():
    curve = LearningRate(0.1, [PiecewiseDecay(milestones=[1, 2], use_warmup=False), LinearWarmup(steps=100)]).curve(5)
    assert curve.value(0) == 0.1


@pytest.mark.parametrize("base_lr", [0, -1.0, "1e-3", True])
def test_bad_base_lr(base_lr):
    with pytest.raises(ConfigError, match="base_lr"):
        LearningRate(base_lr)


def test_two_decays_are_refused():
    with pytest.raises(ConfigError, match="one decay and one warm-up"):
        LearningRate(0.1, [PiecewiseDecay(), CosineDecay()])


def test_paddle_scheduler_follows_the_curve_and_can_jump():
    from ppdet.optimizer.curve import CurveScheduler

    curve = LearningRate(0.1, [CosineDecay(max_epochs=4), LinearWarmup(steps=3)]).curve(5)
    scheduler = CurveScheduler(curve)
    seen = []
    for _ in range(20):
        seen.append(scheduler())
        scheduler.step()
    np.testing.assert_allclose(seen, curve.values(20))
    resumed = CurveScheduler(curve)
    resumed.step(13)
    assert resumed() == pytest.approx(seen[13])
