"""OptimizerBuilder: what a YAML says is what Paddle's optimizer does."""

from __future__ import annotations

import logging

import numpy as np
import paddle
import pytest
from support.small_models import vit_pose

from ppdet.core.errors import ConfigError
from ppdet.optimizer.optimizer_builder import OptimizerBuilder


def one_step(builder: OptimizerBuilder, lr: float = 0.1) -> dict:
    """Weights of a two-weight model after one step on gradients (3, 4)."""
    model = paddle.nn.Linear(2, 1, bias_attr=False)
    model.weight.set_value(np.array([[1.0], [2.0]], np.float32))
    optimizer = builder(lr, model)
    model(paddle.to_tensor([[3.0, 4.0]])).sum().backward()
    optimizer.step()
    return model.weight.numpy()[:, 0]


def test_clip_by_global_norm():
    builder = OptimizerBuilder(clip_grad_by_norm=1.0, regularizer=None, optimizer={"type": "SGD"})
    np.testing.assert_allclose(one_step(builder), [1 - 0.06, 2 - 0.08], rtol=1e-5)


def test_clip_by_value():
    builder = OptimizerBuilder(clip_grad_by_value=0.5, regularizer=None, optimizer={"type": "SGD"})
    np.testing.assert_allclose(one_step(builder), [0.95, 1.95], rtol=1e-5)


def test_l2_regularizer():
    builder = OptimizerBuilder(regularizer={"type": "L2", "factor": 0.5}, optimizer={"type": "SGD"})
    np.testing.assert_allclose(one_step(builder), [1 - 0.1 * 3.5, 2 - 0.1 * 5.0], rtol=1e-5)


@pytest.mark.parametrize("regularizer", [None, "None", {"type": "L2", "factor": 0.0}])
def test_no_regularizer(regularizer):
    builder = OptimizerBuilder(regularizer=regularizer, optimizer={"type": "SGD"})
    np.testing.assert_allclose(one_step(builder), [0.7, 1.6], rtol=1e-5)


def test_default_regularizer_is_l2_for_momentum_and_not_for_adamw():
    assert OptimizerBuilder().regularizer == ("L2", 1e-4)
    assert OptimizerBuilder(optimizer={"type": "AdamW"}).regularizer is None


def test_adamw_honours_the_regularizer():
    decayed = one_step(OptimizerBuilder(regularizer={"type": "L2", "factor": 0.5}, optimizer={"type": "AdamW"}))
    np.testing.assert_allclose(decayed, [1 * 0.95 - 0.1, 2 * 0.95 - 0.1], rtol=1e-4)


def test_adamw_with_both_decays_warns(caplog):
    builder = OptimizerBuilder(regularizer={"type": "L2", "factor": 0.5}, optimizer={"type": "AdamW", "weight_decay": 0.1})
    with caplog.at_level(logging.WARNING):
        weights = one_step(builder)
    np.testing.assert_allclose(weights, [0.99 - 0.1, 1.98 - 0.1], rtol=1e-4)
    assert "weight_decay is used" in caplog.text


@pytest.mark.parametrize(
    "kwargs, message",
    [
        ({"optimizer": {"type": "Adaam"}}, "expected one of"),
        ({"optimizer": {"type": "Adam", "betas": 1}}, "has no argument betas"),
        ({"clip_grad_by_norm": 1.0, "clip_grad_by_value": 1.0}, "not both"),
        ({"clip_grad_by_norm": -1.0}, "positive"),
        ({"regularizer": {"type": "L3"}}, "regularizer"),
        ({"regularizer": {"type": "L1", "factor": 0.1}, "optimizer": {"type": "AdamW"}}, "L2 only"),
        ({"optimizer": {"type": "Adam", "epsilon": "1e-8"}}, "1.0e-8"),
    ],
)
def test_mistakes_are_named(kwargs, message):
    with pytest.raises(ConfigError, match=message):
        OptimizerBuilder(**kwargs)


class TwoParts(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.backbone = paddle.nn.Linear(1, 1)
        self.head = paddle.nn.Linear(1, 1)

    def forward(self, x):
        return self.head(self.backbone(x))


def test_param_groups_scale_the_rate():
    model = TwoParts()
    groups = [{"params": ["backbone"], "learning_rate": 0.1}]
    optimizer = OptimizerBuilder(regularizer=None, optimizer={"type": "AdamW", "weight_decay": 0.0, "param_groups": groups})(
        0.1, model
    )
    before = {name: p.numpy().copy() for name, p in model.named_parameters()}
    model(paddle.ones([2, 1])).sum().backward()
    optimizer.step()
    moved = {name: float(np.abs(p.numpy() - before[name]).max()) for name, p in model.named_parameters()}
    assert moved["head.bias"] == pytest.approx(0.1, rel=1e-3)
    assert moved["backbone.bias"] == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize("settings", [{"beta1": 2}, {"epsilon": -1}])
def test_ranges_that_paddle_checks(settings):
    name = next(iter(settings))
    with pytest.raises(ConfigError, match=f"OptimizerBuilder: Adam refuses .*{name}.*change it"):
        OptimizerBuilder(optimizer={"type": "Adam", **settings})(0.1, TwoParts())


@pytest.mark.parametrize("settings", [{"weight_decay": "abc"}, {"layer_decay": "abc"}])
def test_texts_instead_of_numbers(settings):
    with pytest.raises(ConfigError, match="must be a number, got 'abc'"):
        OptimizerBuilder(optimizer={"type": "AdamWDL", **settings})


def test_param_group_that_matches_nothing():
    with pytest.raises(ConfigError, match="bakbone.*matches no trainable parameter.*backbone, head"):
        OptimizerBuilder(optimizer={"type": "AdamW", "param_groups": [{"params": ["bakbone"]}]})(0.1, TwoParts())


class Transformer(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.backbone = paddle.nn.Layer()
        self.backbone.patch_embed = paddle.nn.Linear(1, 2)
        self.backbone.blocks = paddle.nn.LayerList([paddle.nn.Linear(2, 2) for _ in range(2)])
        self.head = paddle.nn.Linear(2, 1)

    def forward(self, x):
        x = self.backbone.patch_embed(x)
        for block in self.backbone.blocks:
            x = block(x)
        return self.head(x)


def test_layerwise_decay_steps_by_depth_and_clips():
    model = Transformer()
    builder = OptimizerBuilder(
        clip_grad_by_norm=1.0,
        regularizer=None,
        optimizer={"type": "AdamWDL", "layer_decay": 0.5, "num_layers": 2, "weight_decay": 0.0, "beta1": 0.9},
    )
    optimizer = builder(0.1, model)
    before = {name: p.numpy().copy() for name, p in model.named_parameters()}
    model(paddle.ones([2, 1])).sum().backward()
    optimizer.step()
    moved = {name: float(np.abs(p.numpy() - before[name]).max()) for name, p in model.named_parameters()}
    assert moved["head.bias"] == pytest.approx(0.1, rel=1e-3)
    assert moved["backbone.blocks.1.bias"] == pytest.approx(0.05, rel=1e-3)
    assert moved["backbone.blocks.0.bias"] == pytest.approx(0.025, rel=1e-3)
    assert moved["backbone.patch_embed.bias"] == pytest.approx(0.0125, rel=1e-3)
    assert builder.clip is not None


VITPOSE = {
    "type": "AdamWDL",
    "betas": [0.9, 0.99],
    "weight_decay": 0.1,
    "num_layers": 12,
    "layer_decay": 0.75,
    "filter_bias_and_bn": True,
    "skip_decay_names": ["pos_embed", "norm"],
    "set_param_lr_func": "layerwise_lr_decay",
}


def test_vitpose_rates_and_decay_by_layer():
    """PaddleDetection's section, on ViTPose's own parameter names."""
    model = vit_pose(deconvs=1, img_size=[32, 32], embed_dim=8, depth=12, num_heads=2)
    optimizer = OptimizerBuilder(clip_grad_by_norm=1.0, optimizer=VITPOSE)(1.0, model)
    assert (optimizer._beta1, optimizer._beta2) == (0.9, 0.99)
    given = {}
    for group in optimizer._param_groups:
        for parameter in group["params"]:
            given[id(parameter)] = (parameter.optimize_attr["learning_rate"], group["weight_decay"])
    rate, decay = {}, {}
    for name, parameter in model.named_parameters():
        if not parameter.stop_gradient:
            rate[name], decay[name] = given[id(parameter)]
    for name in ("backbone.pos_embed", "backbone.patch_embed.proj.weight", "backbone.patch_embed.proj.bias"):
        assert rate[name] == pytest.approx(0.75**13)
    for i in range(12):
        block = {value for name, value in rate.items() if name.startswith(f"backbone.blocks.{i}.")}
        assert [*block] == [pytest.approx(0.75 ** (12 - i))]
    assert {v for name, v in rate.items() if name.startswith(("head.", "backbone.last_norm"))} == {1.0}
    decayed = {name for name, value in decay.items() if value == 0.1}
    assert decayed == {name for name in decay if name.endswith("weight") and "norm" not in name and "deconv_layers.1" not in name}
    assert all(decay[name] == 0 for name in set(decay) - decayed)


@pytest.mark.parametrize(
    ("change", "message"), [({"betas": 0.9}, "betas is"), ({"set_param_lr_func": "other"}, "'other' is not here")]
)
def test_layerwise_mistakes_are_named(change, message):
    with pytest.raises(ConfigError, match=message):
        OptimizerBuilder(optimizer={**VITPOSE, **change})


def test_frozen_model_is_refused():
    model = paddle.nn.Linear(1, 1)
    for parameter in model.parameters():
        parameter.stop_gradient = True
    with pytest.raises(ConfigError, match="frozen"):
        OptimizerBuilder()(0.1, model)
