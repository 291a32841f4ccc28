"""Adds maps at the smallest size at which they can be added: x + up2(a) + up4(b) = x + up2(a + up2(b)).

Nearest upsampling copies pixels, so it commutes with sums, and a factor of 4 is twice a factor of 2. Only the order of the float
additions changes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ppdet.engine.export.rewriting.graph import OnnxGraph, attributes


class Enlarged(NamedTuple):
    """A map that a nearest upsampling enlarges by whole factors."""

    source: str
    factor: tuple[int, int]


def nest_upsampled_sums(graph: OnnxGraph) -> int:
    """Rewrite each sum with at least two enlarged terms. Returns how many."""
    done = 0
    roots = [node for node in graph.nodes if node.op_type == "Add" and graph.only_taker(node.output[0], "Add") is None]
    for node in roots:
        terms = _terms(graph, node)
        enlarged = {name: found for name in terms if (found := _enlarged(graph, name)) is not None}
        chain = _chain(list(enlarged.values()))
        if len(enlarged) < 2 or chain is None:
            continue
        total = _nested(graph, chain)
        for name in (each for each in terms if each not in enlarged):
            total = graph.add("Add", [name, total]).output[0]
        graph.remove([node])
        graph.replace(node.output[0], total)
        graph.refresh()
        done += 1
    return done


def _terms(graph: OnnxGraph, node: Any) -> list[str]:
    """The values that a tree of additions sums up; all have the shape of the sum."""
    terms: list[str] = []
    for name in node.input:
        maker = graph.maker(name, "Add")
        single = maker is not None and graph.only_taker(name) is node and graph.constant(name) is None
        terms += _terms(graph, maker) if single else [name]
    shape = graph.shape(node.output[0])
    same = shape is not None and len(shape) == 4 and all(graph.shape(name) == shape for name in terms)
    return terms if same and len(set(terms)) == len(terms) else list(node.input)


def _enlarged(graph: OnnxGraph, name: str) -> Enlarged | None:
    node = graph.maker(name, "Resize")
    if node is None or graph.only_taker(name) is None or len(node.input) > 3:
        return None
    found, scales = attributes(node), graph.constant(node.input[2])
    nearest = found.get("mode", "nearest") == "nearest" and found.get("nearest_mode") == "floor"
    if not nearest or found.get("coordinate_transformation_mode") != "asymmetric" or scales is None or len(scales) != 4:
        return None
    whole = np.all(scales == np.round(scales)) and np.all(scales[:2] == 1) and np.all(scales[2:] >= 1)
    return Enlarged(node.input[0], (int(scales[2]), int(scales[3]))) if whole else None


def _chain(maps: list[Enlarged]) -> list[Enlarged] | None:
    """The maps from the least to the most enlarged, if each factor divides the next; None otherwise."""
    ordered = sorted(maps, key=lambda each: each.factor)
    divides = all(b % a == 0 for one, other in zip(ordered, ordered[1:]) for a, b in zip(one.factor, other.factor))
    return ordered if divides else None


def _nested(graph: OnnxGraph, chain: list[Enlarged]) -> str:
    """The value of up(chain[0] + up(chain[1] + ...)), each by what is left of its factor."""
    total, factor = chain[-1].source, chain[-1].factor
    for each in reversed(chain[:-1]):
        total = _upsampled(graph, total, (factor[0] // each.factor[0], factor[1] // each.factor[1]))
        total, factor = graph.add("Add", [each.source, total]).output[0], each.factor
    return _upsampled(graph, total, factor)


def _upsampled(graph: OnnxGraph, name: str, factor: tuple[int, int]) -> str:
    if factor == (1, 1):
        return name
    scales = graph.add_constant([1, 1, *factor], "scales")
    kind = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return str(graph.add("Resize", [name, "", scales], **kind).output[0])
