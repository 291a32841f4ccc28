"""Small ONNX networks of other toolkits' layouts, whose outputs are known: constants that the image does not change."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping, Sequence

import numpy as np


def write_network(
    path: Path,
    outputs: Mapping[str, np.ndarray],
    input_wh: Sequence[int] = (64, 64),
    image: str = "images",
    dtype: type = np.float32,
    metadata: Mapping[str, Any] | None = None,
    extra_inputs: Mapping[str, tuple[type, Sequence[Any]]] | None = None,
    shapes: Mapping[str, Sequence[Any]] | None = None,
    first_node: str | None = None,
) -> Path:
    """Write a network.

    Args:
        path: of the file.
        outputs: name -> what always comes out.
        input_wh: size of the image input.
        image, dtype: name and type of the image input.
        metadata: key -> value, written as text.
        extra_inputs: name -> type and shape of further inputs.
        shapes: what the graph states about shapes of inputs and outputs, if it is not the true one.
        first_node: type of a further node that takes the image ("Slice" as in YOLOX).
    """
    import onnx
    from onnx import helper, numpy_helper

    path.parent.mkdir(parents=True, exist_ok=True)
    inputs = {image: (dtype, [1, 3, input_wh[1], input_wh[0]]), **(extra_inputs or {})}
    nodes, constants = [], {"zero": np.zeros(1, np.float32)}
    sums = []
    for name in inputs:
        nodes.append(helper.make_node("Cast", [name], [f"{name}_float"], to=onnx.TensorProto.FLOAT))
        nodes.append(helper.make_node("ReduceMax", [f"{name}_float"], [f"{name}_max"], keepdims=0))
        nodes.append(helper.make_node("Mul", [f"{name}_max", "zero"], [f"{name}_nothing"]))
        sums.append(f"{name}_nothing")
    nodes.append(helper.make_node("Sum", sums, ["nothing"]))
    if first_node == "Slice":
        constants.update(starts=np.array([0], np.int64), ends=np.array([1], np.int64), axes=np.array([2], np.int64))
        nodes = [helper.make_node("Slice", [image, "starts", "ends", "axes"], ["image_row"]), *nodes[1:]]
        nodes.insert(1, helper.make_node("Cast", ["image_row"], [f"{image}_float"], to=onnx.TensorProto.FLOAT))
    stated = []
    for name, value in outputs.items():
        kind = helper.np_dtype_to_tensor_dtype(value.dtype)
        constants[f"{name}_value"] = value
        nodes.append(helper.make_node("Cast", ["nothing"], [f"{name}_cast"], to=kind))
        nodes.append(helper.make_node("Add", [f"{name}_value", f"{name}_cast"], [name]))
        stated.append(helper.make_tensor_value_info(name, kind, (shapes or {}).get(name, value.shape)))
    taken = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(kind)), (shapes or {}).get(name, shape))
             for name, (kind, shape) in inputs.items()]
    values = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "known", taken, stated, values)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8, producer_name="tests")
    helper.set_model_props(model, {key: str(value) for key, value in (metadata or {}).items()})
    onnx.save(model, str(path))
    return path


def cells(input_wh: Sequence[int], strides: Sequence[int]) -> list[tuple[int, int, int]]:
    """x, y and stride of each cell, in the networks' order."""
    sizes = [(-(-input_wh[0] // stride), -(-input_wh[1] // stride), stride) for stride in strides]
    return [(x, y, stride) for width, height, stride in sizes for y in range(height) for x in range(width)]
