"""RTMPose: MMPose's keys and sizes; head and loss equal their formulas."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from support.golden_cases import model_keys
from support.key_lists import upstream
from support.simcc_models import SIZES, rtmpose, simcc
from support.small_models import lite_hrnet

from ppdet.codecs import HeatmapCodec, SimCCCodec
from ppdet.core.errors import ConfigError
from ppdet.modeling import CSPNeXt, KLDiscretLoss, SimCCHead
from ppdet.modeling.backbones.cspnext_blocks import CSPLayer, SPPBottleneck
from ppdet.modeling.initializer import parameter_count
from ppdet.modeling.layers.gated_attention import GatedAttentionUnit, ScaleNorm
from ppdet.modeling.shape_spec import ShapeSpec

LINEAR = ("mlp.1.weight", "gau.uv.weight", "gau.o.weight", "cls_x.weight", "cls_y.weight")


@pytest.mark.parametrize("size", SIZES)
def test_keys_are_mmposes(size: str) -> None:
    expected = {}
    for key, shape in upstream(f"rtmpose_{size}").items():
        if not key.endswith("num_batches_tracked"):
            key = key.replace("running_mean", "_mean").replace("running_var", "_variance")
            expected[key] = list(shape[::-1] if key.endswith(LINEAR) else shape)
    assert model_keys(rtmpose(size)) == expected


@pytest.mark.parametrize(("size", "wh", "count"), [("t", (192, 256), 3_337_007), ("s", (288, 384), 5_603_299)])
def test_sizes_are_published(size: str, wh: tuple, count: int) -> None:
    assert parameter_count(rtmpose(size, wh)) == count


@pytest.mark.parametrize(
    ("factors", "count"), [((0.67, 0.75), 12_279_432), ((1.0, 1.0), 26_138_912), ((1.33, 1.25), 47_569_560)]
)
def test_backbones_are_published(factors: tuple, count: int) -> None:
    with paddle.LazyGuard():
        assert parameter_count(CSPNeXt(*factors)) == count


def test_all_maps_of_the_backbone() -> None:
    backbone = CSPNeXt(0.167, 0.375, out_indices=(4, 2))
    assert backbone.out_shape == [ShapeSpec(96, 8), ShapeSpec(384, 32)]
    assert [list(x.shape) for x in backbone(paddle.zeros([1, 3, 64, 96]))] == [[1, 96, 8, 12], [1, 384, 2, 3]]
    for wrong in ({"out_indices": (0,)}, {"out_indices": ()}, {"widen_factor": 0.0}, {"deepen_factor": -1.0}):
        with pytest.raises(ConfigError, match="CSPNeXt"):
            CSPNeXt(**wrong)


# ---------------------------------------------------------------- formulas


def _silu(x: np.ndarray) -> np.ndarray:
    return x / (1 + np.exp(-x))


def _values(layer: paddle.nn.Layer) -> dict:
    rng = np.random.default_rng(0)
    for name, value in layer.named_parameters():
        value.set_value(rng.normal(1.0 if name.endswith(("g", "scale")) else 0, 0.3, value.shape).astype(np.float32))
    return {name: value.numpy().astype(np.float64) for name, value in layer.named_parameters()}


def test_scale_norm() -> None:
    layer = ScaleNorm(4)
    layer.g.set_value(paddle.to_tensor([3.0]))
    x = paddle.to_tensor([[1.0, 1, 1, 1], [0, 0, 0, 8], [0, 0, 0, 0]])
    np.testing.assert_allclose(layer(x).numpy(), [[3, 3, 3, 3], [0, 0, 0, 6], [0, 0, 0, 0]], atol=1e-5)


def test_gated_attention_is_the_published_formula() -> None:
    layer = GatedAttentionUnit(6, expansion=2, key_channels=4)
    w = _values(layer)
    x = np.random.default_rng(1).normal(size=(2, 5, 6))
    normed = w["ln.g"] * x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True) / np.sqrt(6), 1e-5)
    u, v, base = np.split(_silu(normed @ w["uv.weight"]), [12, 24], axis=-1)
    query, key = (base * w["gamma"][i] + w["beta"][i] for i in (0, 1))
    attention = np.maximum(query @ np.swapaxes(key, 1, 2) / np.sqrt(4), 0) ** 2
    expected = x * w["res_scale.scale"] + (u * (attention @ v)) @ w["o.weight"]
    np.testing.assert_allclose(layer(paddle.to_tensor(x.astype(np.float32))).numpy(), expected, rtol=2e-4, atol=2e-5)


def test_pools_of_pools_are_wider_pools() -> None:
    layer = SPPBottleneck(8)
    layer.eval()
    x = paddle.to_tensor(np.random.default_rng(2).normal(size=(1, 8, 15, 11)).astype(np.float32))
    first = layer.conv1(x)
    pools = [paddle.nn.functional.max_pool2d(first, k, stride=1, padding=k // 2) for k in (5, 9, 13)]
    np.testing.assert_array_equal(layer(x).numpy(), layer.conv2(paddle.concat([first, *pools], axis=1)).numpy())


def test_attention_gates_both_halves() -> None:
    """With its gate closed (a bias of -3 and less), nothing but the last norm's shift is left."""
    layer = CSPLayer(8, 1, identity=True)
    layer.eval()
    layer.attention.fc.weight.set_value(paddle.zeros([8, 8, 1, 1]))
    layer.attention.fc.bias.set_value(paddle.full([8], -3.0))
    assert float(layer(paddle.randn([1, 8, 6, 6])).abs().max()) == 0
    layer.attention.fc.bias.set_value(paddle.full([8], 0.0))
    gate = layer.attention(paddle.ones([1, 8, 2, 2]))
    np.testing.assert_allclose(gate.numpy(), 0.5)


# ---------------------------------------------------------------- loss


def _loss_case():
    rng = np.random.default_rng(3)
    x, y, target = (rng.normal(size=(3, 5, n)).astype(np.float32) for n in (6, 8, 14))
    weight = rng.choice([0.0, 1.0], size=(3, 5)).astype(np.float32)
    outputs = {"simcc_x": paddle.to_tensor(x, stop_gradient=False), "simcc_y": paddle.to_tensor(y, stop_gradient=False)}
    return (x, y, target, weight), outputs, {"target": paddle.to_tensor(target), "target_weight": paddle.to_tensor(weight)}


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize(("beta", "label_beta"), [(10.0, None), (2.0, 5.0)])
def test_loss_is_the_published_formula(beta, label_beta) -> None:
    (x, y, target, weight), outputs, batch = _loss_case()
    expected = 0.0
    for n in range(3):
        for k in range(5):
            for logits, wanted in ((x[n, k], target[n, k, :6]), (y[n, k], target[n, k, 6:])):
                p, q = _softmax(beta * logits.astype(float)), _softmax((label_beta or beta) * wanted.astype(float))
                expected += weight[n, k] * np.mean(q * (np.log(q) - np.log(p))) / 5
    assert float(KLDiscretLoss(beta, label_beta)(outputs, batch)["loss"]) == pytest.approx(expected, rel=1e-4)


def test_loss_of_known_numbers() -> None:
    """Two bins: p = (1/2, 1/2) and q = (e / (1 + e), 1 / (1 + e)) give (log 2 - H(q)) / 2 on each axis."""
    outputs = {"simcc_x": paddle.zeros([2, 1, 2]), "simcc_y": paddle.zeros([2, 1, 2])}
    batch = {"target": paddle.to_tensor([[[0.1, 0.0, 0.1, 0.0]]] * 2), "target_weight": paddle.to_tensor([[1.0], [1.0]])}
    assert float(KLDiscretLoss()(outputs, batch)["loss"]) == pytest.approx(2 * 0.110944, abs=1e-5)
    batch["target"] = paddle.to_tensor([[[1.0, 0.0, 0.25, 0.75]]] * 2)
    value = KLDiscretLoss(label_softmax=False)(outputs, batch)["loss"]
    assert float(value) == pytest.approx(0.693147 + 0.130812, abs=1e-5)  # log 2 / 2 and (log 2 - H(1/4)) / 2, two persons


def test_a_target_is_its_own_best_answer() -> None:
    """Up to a constant, which the softmax does not see; then the loss is 0."""
    codec = SimCCCodec((48, 64))
    targets, weight = codec.encode(np.random.default_rng(4).uniform(5, 40, (2, 3, 2)), np.ones((2, 3)))
    batch = {"target": paddle.to_tensor(np.concatenate(targets, axis=-1)), "target_weight": paddle.to_tensor(weight)}
    outputs = {name: paddle.to_tensor(t - 0.4) for name, t in zip(codec.output_names, targets)}
    assert float(KLDiscretLoss()(outputs, batch)["loss"]) == pytest.approx(0, abs=1e-6)


def test_unlabelled_keypoints_have_no_gradient() -> None:
    (_, _, _, weight), outputs, batch = _loss_case()
    KLDiscretLoss()(outputs, batch)["loss"].backward()
    for output in outputs.values():
        moved = np.abs(output.grad.numpy()).sum(axis=2) > 0
        np.testing.assert_array_equal(moved, weight > 0)


def test_mistakes_are_explained() -> None:
    _, outputs, batch = _loss_case()
    with pytest.raises(ConfigError, match=r"6 \+ 8 bins.*\[3, 5, 13\].*EncodeSimCC"):
        KLDiscretLoss()(outputs, {**batch, "target": batch["target"][..., :-1]})
    with pytest.raises(ConfigError, match="beta"):
        KLDiscretLoss(beta=0)
    shape = [ShapeSpec(8, 32)]
    with pytest.raises(ConfigError, match="SimCCCodec.*there is no codec"):
        SimCCHead(input_shape=shape)
    with pytest.raises(ConfigError, match="HeatmapCodec"):
        SimCCHead(codec=HeatmapCodec((64, 64)), input_shape=shape)
    with pytest.raises(ConfigError, match="multiples of the backbone's stride 32"):
        SimCCHead(codec=SimCCCodec((40, 64)), input_shape=shape)
    with pytest.raises(ConfigError, match="odd"):
        SimCCHead(codec=SimCCCodec((64, 64)), input_shape=shape, final_layer_kernel_size=4)


# ---------------------------------------------------------------- the model's contract


@pytest.mark.parametrize("make", [rtmpose, lambda **o: simcc(lite_hrnet().backbone, **o)], ids=["rtmpose_t", "tinypose"])
class TestContract:
    def _model(self, make, loss=None):
        paddle.seed(0)
        return make(input_wh=(64, 96), loss=loss)

    def _case(self):
        rng = np.random.default_rng(0)
        images = paddle.to_tensor(rng.normal(size=(2, 3, 96, 64)).astype(np.float32))
        targets, weight = SimCCCodec((64, 96)).encode(rng.uniform(2, 60, (2, 17, 2)), np.ones((2, 17)))
        return images, {"target": paddle.to_tensor(np.concatenate(targets, -1)), "target_weight": paddle.to_tensor(weight)}

    def test_one_return_type_in_every_mode(self, make) -> None:
        model, (images, _) = self._model(make), self._case()
        for mode in (model.train, model.eval):
            mode()
            assert {k: list(v.shape) for k, v in model(images).items()} == {"simcc_x": [2, 17, 128], "simcc_y": [2, 17, 192]}

    def test_every_parameter_learns_and_steps_lower_the_loss(self, make) -> None:
        model, (images, batch) = self._model(make, KLDiscretLoss()), self._case()
        model.train()
        optimizer = paddle.optimizer.AdamW(5e-4, parameters=model.parameters())
        values = []
        for _ in range(6):
            value = model.loss(model(images), batch)["loss"]
            value.backward()
            idle = [k for k, p in model.named_parameters() if not p.stop_gradient and p.grad is None]
            assert not idle
            optimizer.step()
            optimizer.clear_grad()
            values.append(float(value))
        assert min(values) < 0.9 * values[0], values

    def test_training_without_a_loss_is_explained(self, make) -> None:
        with pytest.raises(ConfigError, match="without a loss.*KLDiscretLoss"):
            self._model(make).loss({}, {})
