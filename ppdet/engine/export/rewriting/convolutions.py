"""Folds what follows a convolution and is linear per channel into its weights: batch norms and biases."""

from __future__ import annotations

from typing import Any

import numpy as np

from ppdet.engine.export.rewriting.graph import OnnxGraph, attributes

KINDS = ("Conv", "ConvTranspose")


def fold_batch_norms(graph: OnnxGraph) -> int:
    """Fold each BatchNormalization, and each constant that is added or multiplied per channel, into the convolution before it.

    Computed in float64 and rounded once. Returns the number of nodes that disappeared.
    """
    done = 0
    for node in graph.ordered():
        found = _fold(graph, node)
        if found is None:
            continue
        source, weights, bias = found
        source.input[1] = graph.add_constant(weights, f"{source.name}.w")
        del source.input[2:]
        source.input.append(graph.add_constant(bias, f"{source.name}.b"))
        graph.remove([node])
        graph.replace(node.output[0], source.output[0])
        done += 1
    graph.refresh()
    return done


def _fold(graph: OnnxGraph, node: Any) -> tuple[Any, np.ndarray, np.ndarray] | None:
    """The convolution before a node, and its weights and bias with the node folded in; None if the node cannot be folded."""
    if node.op_type == "BatchNormalization":
        source = graph.maker(node.input[0], *KINDS)
        if source is None or graph.only_taker(node.input[0]) is not node or len(node.output) > 1:
            return None
        parameters = [graph.constant(name) for name in node.input[1:5]]
        if any(each is None for each in parameters):
            return None
        scale, shift, mean, variance = (np.asarray(each, np.float64) for each in parameters)
        factor = scale / np.sqrt(variance + attributes(node).get("epsilon", 1e-5))
        return _folded(graph, source, factor, shift - mean * factor)
    if node.op_type in ("Add", "Mul"):
        for data, other in ((0, 1), (1, 0)):
            source, values = graph.maker(node.input[data], *KINDS), graph.constant(node.input[other])
            if source is None or values is None or graph.only_taker(node.input[data]) is not node:
                continue
            per_channel = values.ndim == 4 and values.shape[0] == 1 and values.shape[2:] == (1, 1)
            if per_channel or values.size == 1 and values.ndim <= 4:
                values = values.reshape(-1).astype(np.float64)
                return _folded(graph, source, *((np.ones(1), values) if node.op_type == "Add" else (values, np.zeros(1))))
    return None


def _folded(graph: OnnxGraph, source: Any, factor: np.ndarray, shift: np.ndarray) -> tuple[Any, np.ndarray, np.ndarray] | None:
    weights = graph.constant(source.input[1])
    bias = graph.constant(source.input[2]) if len(source.input) > 2 and source.input[2] else np.zeros(1)
    if weights is None or bias is None:
        return None
    groups = attributes(source).get("group", 1)
    channels = weights.shape[0] if source.op_type == "Conv" else weights.shape[1] * groups
    factor, shift = (np.broadcast_to(each, (channels,)) for each in (factor, shift))
    if source.op_type == "Conv":
        scaled = weights.astype(np.float64) * factor.reshape(-1, *[1] * (weights.ndim - 1))
    else:  # (channels in, channels out per group, ...): input channel c belongs to group c * groups // channels in
        per_group = factor.reshape(groups, -1)
        rows = np.repeat(per_group, weights.shape[0] // groups, axis=0)
        scaled = weights.astype(np.float64) * rows.reshape(*rows.shape, *[1] * (weights.ndim - 2))
    return source, scaled.astype(np.float32), (bias * factor + shift).astype(np.float32)
