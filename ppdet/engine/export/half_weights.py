"""Stores the weights of an ONNX file in 16 bits: half the size on disk, the same arithmetic.

Each float32 weight is written as float16, followed by a Cast node back to float32. ONNX Runtime and OpenVINO fold that cast
when they load the file, so speed and memory are those of the float32 file. Results differ only by the rounding of the weights
(11 significant bits).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ppdet.core.errors import ExportError

LARGEST_HALF = float(np.finfo(np.float16).max)


def store_weights_as_float16(path: Path) -> int:
    """Rewrite an ONNX file with float16 weights; vectors (scales, shifts, statistics) stay as they are.

    Args:
        path: an ONNX file with float32 weights; it is replaced atomically.

    Returns:
        Number of weights that are stored in 16 bits now.

    Raises:
        ExportError: a weight is larger than float16 can hold (65,504).
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(str(path))
    graph = model.graph
    _constants_to_initializers(graph)
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or len(tensor.dims) < 2:
            continue
        values = numpy_helper.to_array(tensor)
        _check_range(tensor.name, values, path.name)
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.float16"))
        casts.append(helper.make_node("Cast", [f"{name}.float16"], [name], name=f"{name}.cast", to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    temporary = path.with_name(f".{path.name}.tmp")
    onnx.save(model, str(temporary))
    temporary.replace(path)
    return len(casts)


def _constants_to_initializers(graph: Any) -> None:
    """Turn Constant nodes, as which paddle2onnx writes weights, into initializers."""
    kept = []
    for node in graph.node:
        value = next((attribute.t for attribute in node.attribute if attribute.name == "value"), None)
        if node.op_type != "Constant" or value is None:
            kept.append(node)
            continue
        tensor = graph.initializer.add()
        tensor.CopyFrom(value)
        tensor.name = node.output[0]
    del graph.node[:]
    graph.node.extend(kept)


def is_halved(values: np.ndarray) -> bool:
    """Whether an array goes into 16 bits: matrices and kernels do, vectors (scales, shifts, running statistics) do not.

    Vectors are a few per cent of a network, and the variances of large activations exceed float16.
    """
    return values.dtype == np.float32 and values.ndim > 1


def round_to_float16(model: Any) -> None:
    """Round the matrices and kernels of a Paddle layer to the nearest float16 numbers, in place; see `is_halved`.

    Raises:
        ExportError: a weight is larger than float16 can hold (65,504).
    """
    for name, tensor in model.state_dict().items():
        values = tensor.numpy()
        if is_halved(values):
            _check_range(name, values, "the model")
            tensor.set_value(values.astype(np.float16).astype(np.float32))


def _check_range(name: str, values: np.ndarray, where: str) -> None:
    largest = float(np.abs(values).max(initial=0))
    if not largest <= LARGEST_HALF:
        raise ExportError(
            f"{where}: the weight {name} holds {largest:g}, float16 ends at {LARGEST_HALF:g}. Export without --half_weights."
        )
