"""Computes what does not depend on the input, and removes nodes that change nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from ppdet.engine.export.rewriting.graph import OnnxGraph, attributes

LARGEST = 1 << 22  # elements of a folded constant: larger ones would grow the file


def fold_constants(graph: OnnxGraph) -> int:
    """Replace nodes whose inputs are all constant by their value. Returns their number."""
    from onnx import numpy_helper
    from onnx.reference import ReferenceEvaluator

    folded = []
    for node in graph.model().graph.node:  # in topological order, so that chains fold at once
        if any(attribute.HasField("g") for attribute in node.attribute) or set(node.output) & set(graph.outputs):
            continue
        if node.op_type == "Constant":
            tensor = next((each.t for each in node.attribute if each.name == "value"), None)
            values: Any = None if tensor is None else [numpy_helper.to_array(tensor)]
        elif node.input and all(not name or name in graph.constants for name in node.input):
            feeds = {name: graph.constants[name] for name in node.input if name}
            values = ReferenceEvaluator(node, opsets={"": graph.opset}).run(None, feeds)
        else:
            continue
        if values is None or any(np.size(each) > LARGEST for each in values):
            continue
        graph.constants.update({name: np.asarray(each) for name, each in zip(node.output, values) if name})
        folded.extend(node.output)
    done = [node for node in graph.nodes if set(node.output) & set(folded)]
    graph.remove(done)
    graph.refresh()
    return len(done)


def drop_identities(graph: OnnxGraph) -> int:
    """Remove nodes whose output equals their input: Identity, Dropout, a Cast to the same type, x * 1, x + 0, a Reshape to the
    same shape. paddle2onnx writes a `scale` by 1 for each sum. Returns their number."""
    types = _element_types(graph)
    removed = []
    for node in list(graph.nodes):
        kept = _kept_input(graph, node, types)
        if kept is None or (node.output[0] in graph.outputs and graph.maker(kept) is None):
            continue
        graph.remove([node])
        graph.replace(node.output[0], kept)
        removed.append(node)
    graph.refresh()
    return len(removed)


def _kept_input(graph: OnnxGraph, node: Any, types: dict[str, int]) -> str | None:
    first = node.input[0] if node.input else ""
    if node.op_type == "Identity":
        return first
    if node.op_type == "Dropout" and len(node.input) < 3 and len(node.output) == 1:
        return first
    if node.op_type == "Cast":
        return first if types.get(first) == attributes(node)["to"] else None
    if node.op_type == "Reshape":
        before, after = graph.shape(first), graph.shape(node.output[0])
        known = before is not None and after is not None and before[1:] == after[1:] and None not in before[1:]
        return first if known else None
    if node.op_type in ("Mul", "Add"):
        return _neutral(graph, node, 1.0 if node.op_type == "Mul" else 0.0)
    return None


def _neutral(graph: OnnxGraph, node: Any, neutral: float) -> str | None:
    """The other input of a node, if one is the neutral element and does not broadcast the other to a larger shape."""
    for position, other in ((0, 1), (1, 0)):
        values = graph.constant(node.input[position])
        if values is None or not np.all(values == neutral):
            continue
        shape, given = graph.shape(node.output[0]), graph.shape(node.input[other])
        if values.size == 1 and values.ndim <= 1 or (shape is not None and shape == given and values.ndim <= len(shape)):
            return str(node.input[other])
    return None


def _element_types(graph: OnnxGraph) -> dict[str, int]:
    import onnx

    inferred = onnx.shape_inference.infer_shapes(graph.model()).graph
    values = [*inferred.input, *inferred.value_info, *inferred.output]
    types = {value.name: value.type.tensor_type.elem_type for value in values}
    types.update({name: onnx.helper.np_dtype_to_tensor_dtype(each.dtype) for name, each in graph.constants.items()})
    return types
