"""Writes shapes as constants where the graph computes them from the shapes of its own values.

paddle2onnx computes the shape of a flattened map from the map's shape. All sides but the batch are known, so a constant with one
-1 (the batch) says the same, and a chain of Shape, Slice, Gather and Concat nodes disappears.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ppdet.engine.export.rewriting.graph import OnnxGraph, attributes


def write_static_shapes(graph: OnnxGraph) -> int:
    """Give Reshape nodes constant shapes where all sides but one are known. Returns their number."""
    done = 0
    for node in graph.ordered():
        if node.op_type != "Reshape" or graph.constant(node.input[1]) is not None:
            continue
        sides = _without_rest(_vector(graph, node.input[1]), graph.shape(node.input[0]))
        known = sides is not None and sum(side is None or side == -1 for side in sides) <= 1 and 0 not in sides
        if known and sides is not None:
            node.input[1] = graph.add_constant([-1 if side is None else side for side in sides], "shape", np.int64)
            done += 1
    graph.nodes = graph.ordered()
    graph.refresh()
    return done


def _without_rest(sides: list[int | None] | None, given: Any) -> list[int | None] | None:
    """The new shape with the side -1 ("the rest") computed, if only the batch, in front, is unknown before and after."""
    computable = sides and given and sides[0] is None and given[0] is None and sides.count(-1) == 1
    if not sides or not computable or None in sides[1:] or None in given[1:] or 0 in sides:
        return sides
    rest = math.prod(given[1:]) // math.prod(side for side in sides[1:] if side is not None and side != -1)
    return [rest if side == -1 else side for side in sides]


def _vector(graph: OnnxGraph, name: str) -> list[int | None] | None:
    """The integers of a shape that the graph computes, None for those that depend on the input; None if it is no such shape."""
    values = graph.constant(name)
    if values is not None:
        return [int(each) for each in values.reshape(-1)]
    node = graph.maker(name)
    if node is None:
        return None
    if node.op_type == "Shape":
        shape = graph.shape(node.input[0])
        return None if shape is None else list(shape)
    if node.op_type == "Concat":
        parts = [_vector(graph, each) for each in node.input]
        return None if any(part is None for part in parts) else [side for part in parts if part for side in part]
    if node.op_type in ("Cast", "Unsqueeze", "Squeeze", "Identity"):
        return _vector(graph, node.input[0])
    if node.op_type in ("Slice", "Gather"):
        given = _vector(graph, node.input[0])
        return None if given is None else _part(graph, node, given)
    return None


def _part(graph: OnnxGraph, node: Any, sides: list[int | None]) -> list[int | None] | None:
    constants = [each for name in node.input[1:] if (each := graph.constant(name)) is not None]
    if len(constants) < len(node.input) - 1:
        return None
    if node.op_type == "Gather":
        return [sides[int(place)] for place in np.ravel(constants[0])] if not attributes(node).get("axis", 0) else None
    start, end = (int(np.ravel(each)[0]) for each in constants[:2])
    step = int(np.ravel(constants[3])[0]) if len(constants) > 3 else 1
    return sides[start:end:step]
