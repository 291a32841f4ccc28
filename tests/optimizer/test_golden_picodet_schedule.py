"""Rate, momentum with decay and running average equal those of PaddleDetection's PicoDet recipe."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from support.golden_cases import golden_arrays

from ppdet.optimizer.cosine_decay import CosineDecay
from ppdet.optimizer.ema import WeightAverage
from ppdet.optimizer.learning_rate import LearningRate
from ppdet.optimizer.linear_warmup import LinearWarmup
from ppdet.optimizer.optimizer_builder import OptimizerBuilder

WARM_UP = 300


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    return golden_arrays("picodet_training_schedule")


@pytest.mark.parametrize("name", ["v2_s", "legacy", "short"])
def test_learning_rate(golden: dict[str, np.ndarray], name: str) -> None:
    schedulers = [CosineDecay(int(golden[f"lr_{name}_max_epochs"])), LinearWarmup(steps=WARM_UP, start_factor=0.1)]
    curve = LearningRate(float(golden[f"lr_{name}_base"]), schedulers).curve(int(golden[f"lr_{name}_steps_per_epoch"]))
    found = [curve.value(int(step)) for step in golden[f"lr_{name}_iter"]]
    np.testing.assert_allclose(found, golden[f"lr_{name}_lr"], rtol=1e-4, atol=1e-6 * curve.base_lr)


def test_momentum_and_decay(golden: dict[str, np.ndarray]) -> None:
    model = paddle.nn.Layer()
    exempt = paddle.ParamAttr(regularizer=paddle.regularizer.L2Decay(0.0))
    model.w = model.create_parameter([4])
    model.norm = model.create_parameter([3], attr=exempt)
    model.w.set_value(golden["sgd_w0"])
    model.norm.set_value(golden["sgd_norm0"])
    regularizer = {"type": "L2", "factor": float(golden["sgd_l2"])}
    momentum = {"type": "Momentum", "momentum": float(golden["sgd_momentum"])}
    optimizer = OptimizerBuilder(regularizer=regularizer, optimizer=momentum)(float(golden["sgd_lr"]), model)
    for step in range(6):
        gradients = (golden["sgd_grad_w"][step], golden["sgd_grad_norm"][step])
        ((model.w * paddle.to_tensor(gradients[0])).sum() + (model.norm * paddle.to_tensor(gradients[1])).sum()).backward()
        optimizer.step()
        optimizer.clear_grad()
        np.testing.assert_allclose(model.w.numpy(), golden["sgd_w"][step], rtol=1e-5)
        np.testing.assert_allclose(model.norm.numpy(), golden["sgd_norm_param_without_decay"][step], rtol=1e-5)


@pytest.mark.parametrize(("name", "decay"), [("threshold", 0.9998), ("small_decay", None)])
def test_average_of_weights(golden: dict[str, np.ndarray], name: str, decay: float | None) -> None:
    """Theirs begins with zeros and is divided by a number that is not quite its sum of weights; ours begins with the weights."""
    model = paddle.nn.Layer()
    model.w = model.create_parameter([4])
    model.w.set_value(np.zeros(4, np.float32))
    average = WeightAverage(model, decay=float(golden[f"ema_{name}_decay"].max()) if decay is None else decay)
    for step, weights in enumerate(golden[f"ema_{name}_w"]):
        model.w.set_value(weights)
        average.update()
        assert average.decay_at(step + 1) == pytest.approx(float(golden[f"ema_{name}_decay"][step]))
        np.testing.assert_allclose(average.state()["w"], golden[f"ema_{name}_raw_before_apply"][step], rtol=1e-4, atol=1e-6)


def test_batch_norm(golden: dict[str, np.ndarray]) -> None:
    norm = paddle.nn.BatchNorm2D(3)
    np.testing.assert_allclose(norm(paddle.to_tensor(golden["bn_x"])).numpy(), golden["bn_y"], atol=1e-4)
    np.testing.assert_allclose(norm._mean.numpy(), golden["bn_running_mean"], atol=1e-5)
    np.testing.assert_allclose(norm._variance.numpy(), golden["bn_running_var"], atol=1e-5)
