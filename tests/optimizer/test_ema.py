"""The running average of weights, against the definition."""

from __future__ import annotations

import numpy as np
import paddle
import pytest

from ppdet.core.errors import ConfigError
from ppdet.optimizer.ema import WeightAverage


def linear(value: float) -> paddle.nn.Layer:
    model = paddle.nn.Linear(1, 1, bias_attr=False)
    model.weight.set_value(np.array([[value]], np.float32))
    return model


def follow(average: WeightAverage, values) -> float:
    for value in values:
        average.model.weight.set_value(np.array([[value]], np.float32))
        average.update()
    return float(average.state()["weight"][0, 0])


def test_normal_is_the_bias_corrected_mean():
    values = [1.0, 4.0, 2.0, 8.0]
    result = follow(WeightAverage(linear(100.0), decay=0.9, decay_type="normal"), values)
    weights = np.array([0.9 ** (len(values) - i) for i in range(1, len(values) + 1)])
    assert result == pytest.approx(float((weights * values).sum() / weights.sum()), rel=1e-5)


def test_threshold_begins_fast_and_ends_at_decay():
    average = WeightAverage(linear(0.0), decay=0.99)
    assert average.decay_at(1) == pytest.approx(1 / 10)
    assert average.decay_at(100000) == 0.99
    assert follow(average, [1.0]) == pytest.approx(9 / 10, rel=1e-5)


def test_exponential_rises_to_decay():
    average = WeightAverage(linear(0.0), decay=0.9, decay_type="exponential")
    assert average.decay_at(1) < 0.001
    assert average.decay_at(10**6) == pytest.approx(0.9)


def test_swap_and_back():
    average = WeightAverage(linear(0.0), decay=0.5, decay_type="normal")
    mean = follow(average, [1.0, 3.0])
    average.swap()
    assert average.model.weight.item() == pytest.approx(mean)
    average.swap()
    assert average.model.weight.item() == 3.0


def test_running_statistics_are_averaged_and_kept_in_the_model():
    model = paddle.nn.BatchNorm1D(2)
    average = WeightAverage(model, decay=0.5, decay_type="normal")
    model(paddle.randn([8, 2]) + 5.0)
    average.update()
    np.testing.assert_allclose(average.state()["_mean"], model._mean.numpy(), rtol=1e-6)


def test_cycle_starts_anew():
    average = WeightAverage(linear(0.0), cycle_epoch=2)
    follow(average, [1.0, 2.0])
    average.end_epoch(1)
    assert average.updates == 2
    average.end_epoch(2)
    assert average.updates == 0 and float(average.state()["weight"][0, 0]) == 2.0


def test_saved_average_continues():
    whole = WeightAverage(linear(0.0), decay=0.9)
    expected = follow(whole, [1.0, 2.0, 3.0, 4.0])
    first = WeightAverage(linear(0.0), decay=0.9)
    follow(first, [1.0, 2.0])
    second = WeightAverage(linear(0.0), decay=0.9)
    second.load(first.state(), first.updates)
    assert follow(second, [3.0, 4.0]) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("kwargs", [{"decay": 1.0}, {"decay": -0.1}, {"decay_type": "mean"}])
def test_mistakes(kwargs):
    with pytest.raises(ConfigError):
        WeightAverage(linear(0.0), **kwargs)
