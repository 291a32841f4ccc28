"""The C++ operators compute what Paddle computes."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Iterator

import numpy as np
import paddle
import pytest
from paddle import nn
from paddle.nn import functional as F

from ppdet.core.errors import ConfigError
from ppdet.modeling.layers.upsample import upsample_nearest
from ppdet.modeling.operators import cpu


@pytest.fixture()
def unloaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither loaded nor built."""
    monkeypatch.setattr(cpu, "_loaded", False)
    monkeypatch.setenv("PPDET_CACHE", str(tmp_path))


@pytest.mark.usefixtures("unloaded")
def test_only_plain_depthwise_convolutions_are_replaced() -> None:
    plain = [nn.Conv2D(4, 4, 3, padding=1, groups=4), nn.Conv2D(6, 6, 5, stride=2, padding=2, groups=6, bias_attr=False)]
    others = [
        nn.Conv2D(4, 4, 3), nn.Conv2D(4, 8, 3, groups=4), nn.Conv2D(4, 4, 3, groups=2), nn.Conv2D(4, 4, 3, dilation=2, groups=4),
        nn.Conv2D(4, 4, 3, padding=1, groups=4, padding_mode="reflect"), nn.Conv2D(4, 4, (3, 1), padding=(1, 0), groups=4),
        nn.Conv2D(4, 4, 3, padding="same", groups=4), nn.Conv2D(4, 4, 3, stride=(1, 2), groups=4),
    ]  # fmt: skip
    model = nn.LayerList([*plain, *others])
    names = list(model.state_dict())
    x = paddle.randn([2, 6, 9, 7])
    expected = plain[1](x)
    assert cpu.replace_depthwise_convolutions(model) == 2
    assert all(type(layer) is cpu.DepthwiseConv2D for layer in plain) and all(type(layer) is nn.Conv2D for layer in others)
    assert list(model.state_dict()) == names
    np.testing.assert_array_equal(plain[1](x), expected)  # not loaded: Paddle's own


@pytest.mark.usefixtures("unloaded")
def test_no_compiler_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ConfigError, match=r"needs the C\+\+ compiler.*train\s+without"):
        cpu.load_cpu_operators()


@pytest.mark.usefixtures("unloaded")
def test_a_failed_build_shows_what_the_compiler_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if not shutil.which("g++"):
        pytest.skip("no g++ here")
    monkeypatch.setattr(cpu, "_SCRIPT", "import sys; sys.exit('error: what the compiler said')")
    with pytest.raises(ConfigError, match="what the compiler said"):
        cpu.load_cpu_operators()
    assert not list(tmp_path.rglob("*.so"))


@pytest.fixture(scope="module")
def operators() -> Iterator[None]:
    """Built if necessary, and switched off again for the tests that follow."""
    if not shutil.which("g++"):
        pytest.skip("no g++ here")
    cpu.load_cpu_operators()
    yield
    cpu._loaded = False


def gradients(function, *inputs: paddle.Tensor) -> list[np.ndarray]:
    """The output, and the gradients of a weighted sum of it."""
    out = function()
    weights = paddle.to_tensor(np.random.default_rng(3).normal(size=out.shape).astype(np.float32))
    return [array.numpy() for array in (out, *paddle.grad((out * weights).sum(), list(inputs)))]


SHAPES = [  # batch, channels, height, width, kernel, stride, padding
    (2, 5, 8, 6, 3, 1, 1), (3, 4, 32, 24, 3, 2, 1), (1, 2, 1, 1, 3, 1, 1), (2, 3, 5, 5, 3, 3, 0), (2, 3, 7, 9, 5, 2, 2),
    (1, 4, 13, 4, 7, 1, 3), (2, 2, 3, 2, 2, 2, 0), (1, 3, 6, 11, 5, 1, 0), (2, 2, 9, 9, 1, 1, 0), (1, 2, 4, 4, 3, 2, 2),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.usefixtures("operators")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_depthwise_convolution(shape: tuple[int, ...]) -> None:
    batch, channels, height, width, kernel, stride, padding = shape
    paddle.seed(1)
    x, weight = paddle.randn([batch, channels, height, width]), paddle.randn([channels, 1, kernel, kernel])
    x.stop_gradient = weight.stop_gradient = False
    ours = gradients(lambda: cpu.depthwise_conv2d(x, weight, stride, padding), x, weight)
    theirs = gradients(lambda: F.conv2d(x, weight, None, stride, padding, 1, channels), x, weight)
    for found, expected in zip(ours, theirs):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


@pytest.mark.slow
@pytest.mark.usefixtures("operators")
@pytest.mark.parametrize("factor", [2, 3, 8])
def test_upsampling(factor: int) -> None:
    x = paddle.randn([2, 3, 4, 5])
    x.stop_gradient = False
    ours = gradients(lambda: upsample_nearest(x, factor), x)
    theirs = gradients(lambda: F.interpolate(x, scale_factor=factor, mode="nearest"), x)
    np.testing.assert_array_equal(ours[0], theirs[0])
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-5, atol=1e-5)


@pytest.mark.slow
@pytest.mark.usefixtures("operators")
def test_a_network_trains_to_the_same_weights() -> None:
    """With a copy of the network, as the weight average makes one, and a bias."""
    paddle.seed(2)
    theirs = nn.Sequential(nn.Conv2D(3, 8, 1), nn.Conv2D(8, 8, 3, 2, 1, groups=8), nn.BatchNorm2D(8), nn.Conv2D(8, 2, 1))
    ours = copy.deepcopy(theirs)
    cpu.replace_depthwise_convolutions(ours)
    ours = copy.deepcopy(ours)
    x = paddle.randn([4, 3, 16, 12])
    for network in (ours, theirs):
        optimizer = paddle.optimizer.SGD(0.05, parameters=network.parameters())
        for _ in range(3):
            network(x).square().mean().backward()
            optimizer.step()
            optimizer.clear_grad()
    for found, expected in zip(ours.parameters(), theirs.parameters()):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@pytest.mark.usefixtures("operators")
def test_an_exported_graph_does_not_need_the_operators() -> None:
    model = nn.Sequential(nn.Conv2D(4, 4, 3, padding=1, groups=4))
    cpu.replace_depthwise_convolutions(model)
    x = paddle.ones([1, 4, 5, 5])
    assert cpu.supports(x) and not cpu.supports(x.astype("float64"))
    graph = paddle.jit.to_static(model, input_spec=[paddle.static.InputSpec([None, 4, 5, 5], "float32")], full_graph=True)
    program = str(graph.forward.concrete_program.main_program)
    assert "depthwise_conv2d" in program and "ppdet" not in program
