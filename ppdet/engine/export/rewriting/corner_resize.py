"""Replaces corner-aligned resizing by gathers (as the framework has to write it) by one Resize node."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ppdet.engine.export.rewriting.graph import OnnxGraph, attributes


class Stretch(NamedTuple):
    """near + (far - near) * fraction along one axis: linear interpolation from `source` to `length` positions."""

    source: str
    axis: int
    length: int
    given: int


def resize_in_one(graph: OnnxGraph) -> int:
    """Merge two stretches, one per image axis, into a Resize with aligned corners. Returns how many."""
    done = 0
    for node in list(graph.nodes):
        outer = _stretch(graph, node)
        inner_node = graph.maker(outer.source, "Add") if outer else None
        inner = _stretch(graph, inner_node) if inner_node is not None else None
        if outer is None or inner is None or {outer.axis, inner.axis} != {2, 3}:
            continue
        scale = np.ones(4, np.float32)
        for stretch in (outer, inner):
            scale[stretch.axis] = _scale(stretch)
        sizes = {"mode": "linear", "coordinate_transformation_mode": "align_corners"}
        made = graph.add("Resize", [inner.source, "", graph.add_constant(scale, "scales")], **sizes)
        graph.remove([node])
        graph.replace(node.output[0], made.output[0])
        graph.refresh()
        done += 1
    return done


def _stretch(graph: OnnxGraph, node: Any) -> Stretch | None:
    """The interpolation whose last node this is, or None."""
    if node.op_type != "Add":
        return None
    for near_name, scaled_name in (node.input, reversed(node.input)):
        near, scaled = graph.maker(near_name, "Gather"), graph.maker(scaled_name, "Mul")
        if near is None or scaled is None:
            continue
        gap, fraction = graph.maker(scaled.input[0], "Sub"), graph.constant(scaled.input[1])
        far = graph.maker(gap.input[0], "Gather") if gap is not None else None
        if far is None or fraction is None or gap.input[1] != near_name or far.input[0] != near.input[0]:
            continue
        found = _checked(graph, near, far, fraction)
        if found is not None:
            return found
    return None


def _checked(graph: OnnxGraph, near: Any, far: Any, fraction: np.ndarray) -> Stretch | None:
    """The stretch, if indices and fractions are those of aligned corners."""
    axis = attributes(near).get("axis", 0)
    shape, first, second = graph.shape(near.input[0]), graph.constant(near.input[1]), graph.constant(far.input[1])
    if axis != attributes(far).get("axis", 0) or shape is None or len(shape) != 4 or first is None or second is None:
        return None
    given, length = shape[axis], len(first)
    if given is None or length < 2 or fraction.size != length or fraction.ndim != 4 or fraction.shape[axis] != length:
        return None
    wanted = np.arange(length) * (given - 1) / (length - 1)
    meant = first + fraction.reshape(-1).astype(np.float64) * (second - first)
    return Stretch(near.input[0], axis, length, given) if np.abs(meant - wanted).max() < 1e-4 else None


def _scale(stretch: Stretch) -> np.float32:
    """The factor as float32; engines take floor(given * factor) as the length, so it is never rounded down."""
    scale = np.float32(stretch.length / stretch.given)
    while np.floor(np.float32(stretch.given) * scale) < stretch.length:
        scale = np.nextafter(scale, np.float32(np.inf))
    return scale
