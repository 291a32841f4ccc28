"""The deformable convolution: against loops, both of its computations against each other, and in every engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any, List

import numpy as np
import paddle
import pytest

from ppdet.core.errors import ConfigError
from ppdet.engine.export.onnx_conversion import convert_to_onnx
from ppdet.inference.runtimes.registry import load_runtime
from ppdet.modeling.layers import DeformableConv

CHANNELS, OUT = 3, 5
SHAPES = [(1, 3, 1), (2, 3, 2), (2, 1, 1)]  # images, kernel, stride


def _layer(kernel: int = 3, stride: int = 1, reach: float = 3.0, bias: bool = True) -> DeformableConv:
    """Offsets of about `reach` cells: some taps fall between the border and the first zero, some far outside."""
    layer = DeformableConv(CHANNELS, OUT, kernel, stride, bias_attr=None if bias else False)
    rng = np.random.default_rng(kernel + 10 * stride)
    for value in layer.state_dict().values():
        value.set_value(rng.normal(0, 0.5, value.shape).astype(np.float32))
    layer.conv_offset.bias.set_value(rng.normal(0, reach, layer.conv_offset.bias.shape).astype(np.float32))
    return layer


def _maps(images: int, height: int = 6, width: int = 9) -> paddle.Tensor:
    return paddle.to_tensor(np.random.default_rng(7).normal(size=(images, CHANNELS, height, width)).astype(np.float32))


def _bilinear(plane: np.ndarray, y: float, x: float) -> float:
    total = 0.0
    for row in (int(np.floor(y)), int(np.floor(y)) + 1):
        for column in (int(np.floor(x)), int(np.floor(x)) + 1):
            if 0 <= row < plane.shape[0] and 0 <= column < plane.shape[1]:
                total += plane[row, column] * (1 - abs(y - row)) * (1 - abs(x - column))
    return total


def _by_loops(layer: DeformableConv, x: np.ndarray, kernel: int, stride: int) -> np.ndarray:
    raw = layer.conv_offset(paddle.to_tensor(x)).numpy()
    taps, padding = kernel * kernel, (kernel - 1) // 2
    weight, bias = layer.conv_dcn.weight.numpy(), layer.conv_dcn.bias.numpy()
    y = np.zeros((len(x), OUT, *raw.shape[2:]))
    for b, row, column in np.ndindex(len(x), *raw.shape[2:]):
        for t in range(taps):
            cell_y = row * stride - padding + t // kernel + raw[b, 2 * t, row, column]
            cell_x = column * stride - padding + t % kernel + raw[b, 2 * t + 1, row, column]
            share = 1 / (1 + np.exp(-raw[b, 2 * taps + t, row, column]))
            sample = [_bilinear(plane, cell_y, cell_x) * share for plane in x[b]]
            y[b, :, row, column] += weight[:, :, t // kernel, t % kernel] @ sample
    return y + bias[:, None, None]


@pytest.mark.parametrize(("images", "kernel", "stride"), SHAPES)
def test_both_computations_agree_with_loops(images: int, kernel: int, stride: int) -> None:
    layer, x = _layer(kernel, stride), _maps(images)
    expected = _by_loops(layer, x.numpy(), kernel, stride)
    layer.train()  # on a CPU: by samples
    np.testing.assert_allclose(layer(x).numpy(), expected, rtol=1e-5, atol=2e-5)
    layer.eval()
    assert layer._native(x)
    np.testing.assert_allclose(layer(x).numpy(), expected, rtol=1e-5, atol=2e-5)


def test_gradients_agree_with_paddles_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    def gradients(native: bool) -> List[np.ndarray]:
        layer, x = _layer(), _maps(2)
        x.stop_gradient = False
        monkeypatch.setattr(layer, "_native", lambda _: native)
        (layer(x) ** 2).sum().backward()
        return [x.grad.numpy(), *(p.grad.numpy() for p in layer.parameters())]

    for ours, theirs in zip(gradients(False), gradients(True)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4 * np.abs(theirs).max())


def test_unmoved_taps_are_half_a_convolution() -> None:
    layer, x = DeformableConv(CHANNELS, OUT), _maps(1)
    plain = paddle.nn.functional.conv2d(x, layer.conv_dcn.weight, padding=1)
    np.testing.assert_allclose(layer(x).numpy(), plain.numpy() / 2, atol=1e-5)


def test_keys_and_shapes() -> None:
    shapes = {name: value.shape for name, value in DeformableConv(4, 6, bias_attr=None).state_dict().items()}
    assert shapes == {
        "conv_offset.weight": [27, 4, 3, 3],
        "conv_offset.bias": [27],
        "conv_dcn.weight": [6, 4, 3, 3],
        "conv_dcn.bias": [6],
    }


def _export(layer: Any, folder: Path, height: int, width: int) -> None:
    spec = paddle.static.InputSpec([-1, CHANNELS, height, width], "float32", name="image")
    paddle.jit.save(layer, str(folder / "model"), input_spec=[spec])


class _Wrapped(paddle.nn.Layer):
    """The traced function needs a parameter of the input's name."""

    def __init__(self, layer: DeformableConv) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, image: paddle.Tensor) -> paddle.Tensor:
        return self.layer(image)


def test_every_engine_computes_the_exported_layer(tmp_path: Path) -> None:
    pytest.importorskip("paddle2onnx")
    layer, x = _Wrapped(_layer(reach=2.0)), _maps(2)
    layer.eval()
    expected = layer(x).numpy()
    _export(layer, tmp_path, *x.shape[2:])
    convert_to_onnx(tmp_path / "model.json", tmp_path / "model.pdiparams", tmp_path / "model.onnx", ["y"])
    (tmp_path / "infer_cfg.yml").write_text("mode: paddle\n")
    for engine in ("paddle", "onnxruntime", "openvino"):
        try:
            runtime = load_runtime(tmp_path, engine=engine)
        except Exception as error:
            if "not installed" in str(error):
                continue
            raise
        (found,) = runtime.run({"image": x.numpy()})
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4, err_msg=engine)


def test_an_export_of_unknown_size_is_refused(tmp_path: Path) -> None:
    layer = _Wrapped(_layer())
    layer.eval()
    with pytest.raises(ConfigError, match="give its height and width"):
        _export(layer, tmp_path, -1, -1)
