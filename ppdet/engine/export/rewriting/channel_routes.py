"""Moves channels once instead of step by step: splits, concatenations and shuffles between two convolutions become a few copies.

A shuffle unit splits its channels, transforms one half, concatenates and shuffles; the next one splits again. Each step copies
all channels. Here every value that only rearranges channels is traced to the values that are computed (its sources), and put
together from runs of their channels directly. A dense convolution does not care about the order of its channels if its weights
are permuted alike, so a value that only such convolutions consume needs no shuffle at all.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np

from ppdet.engine.export.rewriting.graph import OnnxGraph, attributes


class Route(NamedTuple):
    """Where the channels of a value come from.

    Attributes:
        channels: (name of the source, channel of the source) for each channel.
        shuffled: whether a shuffle lies on the way.
    """

    channels: list[tuple[str, int]]
    shuffled: bool


Run = tuple  # (source, first channel, channel after the last)


def route_channels(graph: OnnxGraph) -> int:
    """Rebuild the values whose channels went through a shuffle. Returns the number of shuffles that disappeared."""
    routes, movers = _trace(graph)
    shuffled = {source for route in routes.values() if route.shuffled for source, _ in route.channels}
    ends = [
        name for name, route in routes.items()
        if any(source in shuffled for source, _ in route.channels)
        and (name in graph.outputs or any(id(taker) not in movers for taker in graph.takers(name)))
    ]  # fmt: skip
    before = _shuffles(graph)
    plans = {name: _plan(graph, name, routes[name], movers) for name in ends if name not in graph.outputs}
    pieces = _Pieces(graph, [run for order, runs in plans.values() for run in runs])
    for name, (order, runs) in plans.items():
        parts = [pieces.value(run) for run in runs]
        joined = parts[0] if len(parts) == 1 else graph.add("Concat", parts, axis=1).output[0]
        _rewire(graph, name, joined, order, movers)
    graph.nodes = graph.ordered()
    graph.refresh()
    return before - _shuffles(graph)


# ---------------------------------------------------------------- tracing


def _trace(graph: OnnxGraph) -> tuple[dict[str, Route], set[int]]:
    """Routes of all values that only rearrange channels, and the ids of the nodes that make them."""
    routes: dict[str, Route] = {}
    movers: set[int] = set()
    for node in graph.ordered():
        found, nodes = _routes_of(graph, node, routes)
        routes.update(found)
        movers.update(id(each) for each in nodes)
    return routes, movers


def _routes_of(graph: OnnxGraph, node: Any, routes: dict[str, Route]) -> tuple[dict[str, Route], list[Any]]:
    if node.op_type == "Concat" and attributes(node)["axis"] == 1:
        parts = [_route(graph, name, routes) for name in node.input]
        if any(part is None for part in parts):
            return {}, []
        known = [part for part in parts if part is not None]
        channels = [each for part in known for each in part.channels]
        return {node.output[0]: Route(channels, any(part.shuffled for part in known))}, [node]
    if node.op_type == "Split" and attributes(node).get("axis", 0) == 1:
        route = _route(graph, node.input[0], routes)
        sizes = [graph.shape(name) for name in node.output]
        if route is None or any(size is None or len(size) != 4 or size[1] is None for size in sizes):
            return {}, []
        ends = np.cumsum([size[1] for size in sizes if size is not None]).tolist()
        starts = [0, *ends[:-1]]
        cut = [Route(route.channels[a:b], route.shuffled) for a, b in zip(starts, ends)]
        return dict(zip(node.output, cut)), [node]
    if node.op_type == "Reshape":
        nodes, order = _shuffle(graph, node)
        route = _route(graph, nodes[0].input[0], routes) if order is not None else None
        if route is not None and order is not None:
            return {node.output[0]: Route([route.channels[each] for each in order], True)}, nodes
    return {}, []


def _route(graph: OnnxGraph, name: str, routes: dict[str, Route]) -> Route | None:
    if name in routes:
        return routes[name]
    shape = graph.shape(name)
    if shape is None or len(shape) != 4 or shape[1] is None or graph.constant(name) is not None:
        return None
    return Route([(name, channel) for channel in range(shape[1])], False)


def _shuffle(graph: OnnxGraph, last: Any) -> tuple[list[Any], np.ndarray | None]:
    """The nodes Reshape, Transpose, Reshape of a channel shuffle that ends at `last`, and the source of each channel."""
    turned = graph.maker(last.input[0], "Transpose")
    first = graph.maker(turned.input[0], "Reshape") if turned is not None else None
    if first is None or turned is None or attributes(turned).get("perm") != [0, 2, 1, 3, 4]:
        return [], None
    if graph.only_taker(turned.output[0]) is not last or graph.only_taker(first.output[0]) is not turned:
        return [], None
    given, inner, made = (graph.shape(name) for name in (first.input[0], first.output[0], last.output[0]))
    if given is None or inner is None or made is None or len(given) != 4 or len(inner) != 5 or None in given[1:]:
        return [], None
    same = made[1:] == given[1:] and inner[3:] == given[2:] and None not in inner[1:] and inner[1] * inner[2] == given[1]
    return [first, turned, last], np.arange(given[1]).reshape(inner[1], inner[2]).T.ravel() if same else None


def _shuffles(graph: OnnxGraph) -> int:
    return sum(node.op_type == "Reshape" and _shuffle(graph, node)[1] is not None for node in graph.ordered())


# ---------------------------------------------------------------- putting together


def _plan(graph: OnnxGraph, name: str, route: Route, movers: set[int]) -> tuple[np.ndarray, list[Run]]:
    """Order and runs in which a value is put together: position i holds its channel ``order[i]``."""
    as_it_is = _runs(route.channels)
    sources = len({source for source, _ in route.channels})
    if len(as_it_is) <= 2 * sources:
        return np.arange(len(route.channels)), as_it_is
    rank = {source: row for row, source in enumerate(dict.fromkeys(source for source, _ in route.channels))}
    order = sorted(range(len(route.channels)), key=lambda row: (rank[route.channels[row][0]], route.channels[row][1]))
    return np.array(order), _runs([route.channels[row] for row in order])


def _runs(channels: list[tuple[str, int]]) -> list[Run]:
    runs: list[Run] = []
    for source, channel in channels:
        if runs and runs[-1][0] == source and runs[-1][2] == channel:
            runs[-1] = (source, runs[-1][1], channel + 1)
        else:
            runs.append((source, channel, channel + 1))
    return runs


class _Pieces:
    """Cuts sources into the runs that are needed: each source by one Split if its runs do not overlap, else by slices."""

    def __init__(self, graph: OnnxGraph, runs: list[Run]) -> None:
        self._graph = graph
        self._values: dict[Run, str] = {}
        by_source: dict[str, set[Run]] = defaultdict(set)
        for run in runs:
            by_source[run[0]].add(run)
        for source, wanted in by_source.items():
            self._cut(source, sorted(wanted, key=lambda run: run[1:]))

    def value(self, run: Run) -> str:
        """The value that holds a run of channels."""
        return self._values[run]

    def _cut(self, source: str, runs: list[Run]) -> None:
        graph, (_, channels, *_sides) = self._graph, self._graph.shape(source) or (None, 0)
        whole = (source, 0, channels)
        self._values[whole] = source
        parts = [run for run in runs if run != whole]
        bounds = sorted({0, channels, *(side for run in parts for side in run[1:])})
        pieces = [(source, a, b) for a, b in zip(bounds, bounds[1:])]
        tiled = [run for run in parts if run in pieces]
        if tiled:
            names = [graph.name("split") for _ in pieces]
            sizes = graph.add_constant([b - a for _, a, b in pieces], "sizes", np.int64)
            graph.add("Split", [source, sizes], names, axis=1)
            self._values.update(zip(pieces, names))
        for run in (each for each in parts if each not in self._values):
            bounds_of = [graph.add_constant([side], "bound", np.int64) for side in (run[1], run[2], 1)]
            self._values[run] = graph.add("Slice", [source, *bounds_of]).output[0]


def _rewire(graph: OnnxGraph, name: str, joined: str, order: np.ndarray, movers: set[int]) -> None:
    """Make the consumers of a value take `joined`, which holds its channels in another order."""
    in_order = np.array_equal(order, np.arange(len(order)))
    sorted_value = joined if in_order else ""
    for taker in [each for each in graph.takers(name) if id(each) not in movers]:
        if not in_order and _absorbs(graph, taker, name, joined, order):
            continue
        sorted_value = sorted_value or _sorted(graph, name, joined, np.argsort(order))
        for position, each in enumerate(taker.input):
            if each == name:
                taker.input[position] = sorted_value


def _absorbs(graph: OnnxGraph, taker: Any, name: str, joined: str, order: np.ndarray) -> bool:
    """Make a convolution take reordered channels: a dense one, or one per channel whose consumers are dense. False for others."""
    if taker.op_type != "Conv" or taker.input[0] != name or name in taker.input[1:]:
        return False
    weights = graph.constant(taker.input[1])
    if weights is None:
        return False
    groups, hint = attributes(taker).get("group", 1), taker.name
    if groups == 1:
        taker.input[1] = graph.add_constant(weights[:, order], f"{hint}.w")
        taker.input[0] = joined
        return True
    made = taker.output[0]
    followers = [] if made in graph.outputs else graph.takers(made)
    dense = [each for each in followers if each.op_type == "Conv" and attributes(each).get("group", 1) == 1
             and each.input[0] == made and graph.constant(each.input[1]) is not None]  # fmt: skip
    bias = graph.constant(taker.input[2]) if len(taker.input) > 2 else np.zeros(len(order), np.float32)
    if groups != len(order) or len(weights) != groups or bias is None or len(dense) != len(followers) or not dense:
        return False
    taker.input[1] = graph.add_constant(weights[order], f"{hint}.w")
    if len(taker.input) > 2:
        taker.input[2] = graph.add_constant(bias[order], f"{hint}.b")
    taker.input[0] = joined
    for each in dense:
        values = graph.constants[each.input[1]]
        each.input[1] = graph.add_constant(values[:, order], f"{each.name}.w")
    return True


def _sorted(graph: OnnxGraph, name: str, joined: str, places: np.ndarray) -> str:
    """The channels of `joined` in the order of `name`: by a shuffle, which engines know, or else by a gather."""
    channels, shape = len(places), graph.shape(name)
    groups = next((g for g in range(2, channels) if channels % g == 0
                   and np.array_equal(np.arange(channels).reshape(g, -1).T.ravel(), places)), None)  # fmt: skip
    if groups is None or shape is None or None in shape[1:]:
        return str(graph.add("Gather", [joined, graph.add_constant(places, "order", np.int64)], axis=1).output[0])
    five = graph.add_constant([-1, groups, channels // groups, *shape[2:]], "shape", np.int64)
    four = graph.add_constant([-1, *shape[1:]], "shape", np.int64)
    turned = graph.add("Transpose", graph.add("Reshape", [joined, five]).output, perm=[0, 2, 1, 3, 4])
    return str(graph.add("Reshape", [turned.output[0], four]).output[0])
