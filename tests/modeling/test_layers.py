"""The bricks compute what they say, in training and in an exported graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import paddle
import paddle.nn.functional as F
import pytest
from paddle.static import InputSpec

from ppdet.core.errors import ConfigError
from ppdet.modeling.layers.activation import activation
from ppdet.modeling.layers.channel_shuffle import join_shuffled, split_halves
from ppdet.modeling.layers.conv_norm import batch_norm, check_norm_type
from ppdet.modeling.layers.divisible import round_channels
from ppdet.modeling.layers.upsample import resize_aligned, upsample_nearest


class _Layer(paddle.nn.Layer):
    def __init__(self, function) -> None:
        super().__init__()
        self._function = function

    def forward(self, x):
        return self._function(x)


def _exported(function, x: np.ndarray, folder: Path) -> np.ndarray:
    """What a saved graph with an open batch dimension gives."""
    spec = InputSpec([-1, *x.shape[1:]], "float32", name="x")
    paddle.jit.save(_Layer(function), str(folder / "graph"), input_spec=[spec])
    return paddle.jit.load(str(folder / "graph"))(paddle.to_tensor(x)).numpy()


def _random(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("factor", [1, 2, 4, 8])
def test_upsample_nearest_repeats_cells(factor: int, tmp_path: Path) -> None:
    x = _random(2, 3, 4, 5)
    expected = x.repeat(factor, axis=2).repeat(factor, axis=3)
    np.testing.assert_array_equal(upsample_nearest(paddle.to_tensor(x), factor), expected)
    np.testing.assert_array_equal(_exported(lambda t: upsample_nearest(t, factor), x, tmp_path), expected)


def test_upsample_nearest_gradient_sums_cells() -> None:
    x = paddle.to_tensor(_random(2, 3, 4, 5), stop_gradient=False)
    weights = _random(2, 3, 8, 10)
    (upsample_nearest(x, 2) * paddle.to_tensor(weights)).sum().backward()
    expected = weights.reshape(2, 3, 4, 2, 5, 2).sum(axis=(3, 5))
    np.testing.assert_allclose(x.grad, expected, rtol=1e-5, atol=1e-5)


def test_join_shuffled_interleaves(tmp_path: Path) -> None:
    x = _random(2, 6, 3, 4)
    expected = np.stack([x[:, :3], x[:, 3:]], axis=2).reshape(x.shape)
    np.testing.assert_array_equal(join_shuffled(*split_halves(paddle.to_tensor(x))), expected)
    np.testing.assert_array_equal(_exported(lambda t: join_shuffled(*split_halves(t)), x, tmp_path), expected)


def test_join_shuffled_gradient() -> None:
    first, second = (paddle.to_tensor(_random(2, 3, 2, 2), stop_gradient=False) for _ in range(2))
    weights = _random(2, 6, 2, 2)
    (join_shuffled(first, second) * paddle.to_tensor(weights)).sum().backward()
    np.testing.assert_array_equal(first.grad, weights[:, 0::2])
    np.testing.assert_array_equal(second.grad, weights[:, 1::2])


@pytest.mark.parametrize("size", [(8, 6), (7, 9), (4, 3), (1, 1), (5, 3)])
def test_resize_aligned_exports_as_it_trains(size, tmp_path: Path) -> None:
    x = _random(2, 3, 4, 3)
    expected = F.interpolate(paddle.to_tensor(x), size=list(size), mode="bilinear", align_corners=True).numpy()
    np.testing.assert_array_equal(resize_aligned(paddle.to_tensor(x), size), expected)
    np.testing.assert_allclose(_exported(lambda t: resize_aligned(t, size), x, tmp_path), expected, atol=1e-6)


def test_resize_aligned_keeps_corners_and_planes() -> None:
    y, x = np.mgrid[:4, :3].astype(np.float32)
    plane = (2 * x - 3 * y + 1)[None, None]
    resized = resize_aligned(paddle.to_tensor(plane), (7, 5)).numpy()[0, 0]
    fine_y, fine_x = np.linspace(0, 3, 7)[:, None], np.linspace(0, 2, 5)
    np.testing.assert_allclose(resized, 2 * fine_x - 3 * fine_y + 1, atol=1e-5)


@pytest.mark.parametrize(("value", "expected"), [(12, 16), (16 * 0.35, 8), (84, 88), (384, 384), (22.4, 24), (1, 8)])
def test_round_channels(value: float, expected: int) -> None:
    assert round_channels(value) == expected


def test_frozen_batch_norm_does_not_move() -> None:
    norm = batch_norm(3, frozen=True)
    norm.train()
    x = paddle.to_tensor(_random(4, 3, 5, 5) * 3 + 1)
    norm(x).sum().backward()
    assert float(norm._mean.abs().sum()) == 0.0
    assert norm.weight.stop_gradient
    free = batch_norm(3)
    free.train()
    free(x)
    assert float(free._mean.abs().sum()) > 0.0


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="unknown activation 'swich'.*hard_swish"):
        activation("swich")
    with pytest.raises(ConfigError, match="norm_type 'gn'"):
        check_norm_type("gn", "PicoFeat")
