"""Paddle 2 programs written from ONNX graphs: OpenVINO, which reads such programs, computes what ONNX Runtime computes."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import numpy as np
import pytest
from support.onnx_graphs import RNG, Net, outputs_of

from ppdet.core.errors import ExportError
from ppdet.engine.export.legacy.writer import write_program

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
openvino = pytest.importorskip("openvino")
Draw = Callable[[Net], list]


def convolutions(net: Net) -> list[str]:
    bias = net.constant(RNG.normal(0, 1, 6))
    dense = net.node("Conv", "x", net.constant(RNG.normal(0, 0.3, (6, 8, 3, 3))), bias, pads=[1, 1, 1, 1], strides=[2, 2])
    channels = net.node("Relu", net.conv(dense, 6, 6, 3, group=6))
    return [net.node("ConvTranspose", channels, net.constant(RNG.normal(0, 0.3, (6, 4, 2, 2))), strides=[2, 2])]


def uneven_padding(net: Net) -> list[str]:
    return [net.node("Conv", "x", net.constant(RNG.normal(0, 0.3, (4, 8, 2, 2))), pads=[0, 1, 1, 0])]


def pooling(net: Net) -> list[str]:
    largest = net.node("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    mean = net.node("AveragePool", "x", kernel_shape=[2, 2], strides=[2, 2])
    return [net.node("Add", largest, mean), net.node("GlobalAveragePool", "x")]


def resizing(net: Net) -> list[str]:
    corners = net.node("Resize", "x", "", net.constant([1, 1, 2, 2]), mode="linear",
                       coordinate_transformation_mode="align_corners")  # fmt: skip
    return [net.node("Add", net.resize("x", 2), corners)]


def arithmetic(net: Net) -> list[str]:
    scaled = net.node("Mul", net.node("Sub", "x", net.constant([0.5])), net.constant(RNG.normal(0, 1, (1, 8, 1, 1))))
    halves = net.node("Div", net.node("Add", net.constant([1.0]), scaled), net.constant([2.0]))
    wide = net.node("Max", net.constant(RNG.normal(0, 1, (6, 4))), halves)
    return [net.node("Clip", wide, net.constant(0.1), net.constant(0.8)), net.node("Sigmoid", halves),
            net.node("HardSigmoid", halves, alpha=0.2, beta=0.4), net.node("Softmax", halves, axis=1)]  # fmt: skip


def parts(net: Net) -> list[str]:
    a, b, c = net.node("Split", "x", net.constant([2, 3, 3], np.int64), outputs=3, axis=1)
    whole = net.node("Concat", c, a, b, axis=1)
    bounds = [net.constant([each], np.int64) for each in (1, 2**40, 2)]
    return [net.node("Gather", whole, net.constant([7, 0, 3], np.int64), axis=1), net.node("Slice", whole, *bounds)]


def shapes(net: Net) -> list[str]:
    shuffled = net.shuffle("x", 8)
    flat = net.node("Reshape", shuffled, net.constant([-1, 8, 24], np.int64))
    best = net.node("Cast", net.node("ArgMax", flat, axis=-1, keepdims=0), to=onnx.TensorProto.FLOAT)
    four = net.node("Unsqueeze", flat, net.constant([2], np.int64))
    turned = net.node("Transpose", net.node("Squeeze", four, net.constant([2], np.int64)), perm=[0, 2, 1])
    product = net.node("MatMul", turned, net.constant(RNG.normal(0, 1, (8, 5))))
    return [best, product, net.node("ReduceMean", product, axes=[1], keepdims=1)]


DRAWN: list[Draw] = [convolutions, uneven_padding, pooling, resizing, arithmetic, parts, shapes]


@pytest.mark.parametrize("draw", DRAWN, ids=lambda draw: draw.__name__)
def test_operators(draw: Draw, tmp_path: Path) -> None:
    net = Net()
    model = net.model(*draw(net))
    onnx.save(model, str(tmp_path / "net.onnx"))
    program, params = write_program(tmp_path / "net.onnx", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"net.onnx", "model.pdmodel", "model.pdiparams"} and params.is_file()
    image = RNG.normal(0, 1, (2, 8, 6, 4)).astype(np.float32)
    compiled = openvino.Core().compile_model(str(program), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = compiled([image])
    expected = outputs_of(model, {"x": image})
    assert len(compiled.outputs) == len(expected)
    for port, truth in zip(compiled.outputs, expected):
        np.testing.assert_allclose(found[port], truth, rtol=1e-4, atol=1e-5)


def test_operators_without_a_counterpart_are_named(tmp_path: Path) -> None:
    net = Net()
    onnx.save(net.model(net.node("Celu", "x")), str(tmp_path / "net.onnx"))
    with pytest.raises(ExportError, match="no counterpart of Celu: leave out legacy and lite"):
        write_program(tmp_path / "net.onnx", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"net.onnx"}


def test_a_way_of_resizing_without_a_counterpart_is_refused(tmp_path: Path) -> None:
    net = Net()
    half = net.node("Resize", "x", "", net.constant([1, 1, 2, 2]), mode="cubic")
    onnx.save(net.model(half), str(tmp_path / "net.onnx"))
    with pytest.raises(ExportError, match="resizing by cubic"):
        write_program(tmp_path / "net.onnx", tmp_path)
