"""Static 8-bit quantisation of an ONNX file: QuantizeLinear and DequantizeLinear around the heavy nodes, scales per channel."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import Any, Mapping, Sequence

import numpy as np

from ppdet.core.errors import ExportError
from ppdet.engine.export.quiet_output import quiet_output

#: Kinds of nodes that are computed in 8 bits. Sums stay float: they join maps of different ranges.
KINDS = ("Conv", "ConvTranspose", "MatMul", "Gemm")
Feeds = Mapping[str, np.ndarray]


class _Reader:
    """Feeds in the form that ONNX Runtime's calibration takes."""

    def __init__(self, feeds: Sequence[Feeds]) -> None:
        self._feeds = iter(feeds)

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(({**each} for each in self._feeds), None)


def quantize_file(source: Path, target: Path, feeds: Sequence[Feeds], floats: Sequence[str] = ()) -> int:
    """Write the 8-bit form of an ONNX file.

    Weights have one scale per output channel and 7 bits (processors without VNNI add two products in 16 bits, which 8 bits
    overflow); activations have one scale per map, from the extremes over the feeds.

    Args:
        source: float ONNX file; its nodes have names.
        target: the file to write.
        feeds: inputs to calibrate with.
        floats: names of nodes that stay in floating point.

    Returns:
        Number of nodes in 8 bits.

    Raises:
        ExportError: ONNX Runtime cannot quantise the graph.
    """
    handlers = list(logging.root.handlers)
    from onnxruntime import quantization

    logging.root.handlers[:] = handlers  # importing it adds one, which prints every line of our log a second time
    with tempfile.TemporaryDirectory() as folder, quiet_output("ONNX Runtime's quantisation"):
        quantization.quantize_static(
            str(source),
            str(target),
            _Reader(feeds),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=list(KINDS),
            per_channel=True,
            reduce_range=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            nodes_to_exclude=list(floats),
            calibrate_method=quantization.CalibrationMethod.MinMax,
            extra_options={"QuantizeBias": True, "TempDir": folder},
        )
    return len(heavy_nodes(source)) - len(set(floats))


def heavy_nodes(path: Path) -> list[Any]:
    """The nodes of an ONNX file that can be computed in 8 bits: of the right kind, with constant weights."""
    import onnx

    graph = onnx.load(str(path)).graph
    constants = {each.name for each in graph.initializer}
    return [node for node in graph.node if node.op_type in KINDS and len(node.input) > 1 and node.input[1] in constants]


def depthwise_nodes(path: Path) -> list[str]:
    """Names of the heavy nodes that are grouped convolutions with one input channel per group."""
    import onnx

    shapes = {each.name: tuple(each.dims) for each in onnx.load(str(path)).graph.initializer}
    return [node.name for node in heavy_nodes(path)
            if node.op_type == "Conv" and shapes[node.input[1]][1] == 1 and _groups(node) > 1]  # fmt: skip


def _groups(node: Any) -> int:
    return next((int(each.i) for each in node.attribute if each.name == "group"), 1)


def sensitivities(path: Path, feeds: Sequence[Feeds]) -> dict[str, float]:
    """How much 8 bits would distort the inputs of each heavy node: error of its input and its weights relative to their size.

    Cheaper than running the network once per node, and enough to order them: wide, sparsely used ranges rank first.

    Args:
        path: float ONNX file.
        feeds: inputs to measure on.
    """
    import onnx
    import onnxruntime

    model = onnx.load(str(path))
    nodes = heavy_nodes(path)
    weights = {each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer}
    wanted = list(dict.fromkeys(node.input[0] for node in nodes))
    known = {value.name for value in [*model.graph.output, *model.graph.input]}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in wanted if name not in known)
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), settings, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ExportError(f"the network cannot be run for its 8-bit form: {' '.join(str(error).split())[:300]}") from error
    names = [name for name in wanted if name not in {value.name for value in model.graph.input}]
    errors = dict.fromkeys(wanted, 0.0)
    for feed in feeds:
        values = {**feed, **dict(zip(names, session.run(names, dict(feed))))}
        for name in wanted:
            errors[name] = max(errors[name], _distortion(values[name], 255, None))
    return {node.name: errors[node.input[0]] + _distortion(weights[node.input[1]], 127, 0) for node in nodes}


def _distortion(values: np.ndarray, steps: int, channel_axis: int | None) -> float:
    """Relative root mean square error of rounding values to equal steps between their extremes, per channel or over all."""
    flat = values.reshape(len(values), -1) if channel_axis is not None else values.reshape(1, -1)
    step = (flat.max(axis=1) - flat.min(axis=1)) / steps
    size = np.sqrt((flat.astype(np.float64) ** 2).mean(axis=1))
    return float((step / np.sqrt(12) / np.maximum(size, 1e-12)).mean())
