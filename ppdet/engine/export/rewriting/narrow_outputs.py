"""Computes several pixels of a map of one or two channels at once: they fill the lanes that its channels leave empty.

Engines compute 8 or 16 output channels together, so a convolution to one channel wastes most of the arithmetic (in PicoDet: the
four that weigh the class scores). The same convolution with a kernel that is larger by a block of pixels, moved by the block,
gives the block's pixels as channels; zeros in the weights leave out what a pixel does not see. A copy puts the pixels in their
places.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ppdet.engine.export.rewriting.graph import OnnxGraph, attributes

MOST_CHANNELS = 2
# Height and width, best first: the nearer to a square, the fewer zeros in the weights.
BLOCKS = ((2, 4), (4, 2), (1, 8), (8, 1), (2, 2), (1, 4), (4, 1))


def fill_narrow_outputs(graph: OnnxGraph) -> int:
    """Rewrite each convolution to one or two channels whose map divides into blocks. Returns how many."""
    done = 0
    for node in graph.ordered():
        block = _block(graph, node)
        if block is None:
            continue
        name = _pixels_as_channels(graph, node, block)
        channels, height, width = graph.shape(node.output[0])[1:]  # type: ignore[index]
        (rows, columns), whole = block, graph.add_constant([-1, channels, height, width], "shape", np.int64)
        parts = graph.add_constant([-1, rows, columns, height // rows, width // columns], "shape", np.int64)
        placed = graph.add("Transpose", [graph.add("Reshape", [name, parts]).output[0]], perm=[0, 3, 1, 4, 2])
        graph.remove([node])
        graph.replace(node.output[0], graph.add("Reshape", [placed.output[0], whole]).output[0])
        done += 1
    graph.refresh()
    return done


def _block(graph: OnnxGraph, node: Any) -> tuple[int, int] | None:
    """The block for a convolution; None if it must stay."""
    weights = graph.constant(node.input[1]) if node.op_type == "Conv" else None
    shape = graph.shape(node.output[0])
    if weights is None or weights.ndim != 4 or weights.shape[0] > MOST_CHANNELS or max(weights.shape[2:]) < 3:
        return None
    if shape is None or len(shape) != 4 or not all(shape[1:]):
        return None
    found = attributes(node)
    plain = found.get("group", 1) == 1 and found.get("auto_pad", "NOTSET") == "NOTSET"
    has_bias = len(node.input) > 2 and bool(node.input[2])
    if has_bias and graph.constant(node.input[2]) is None:
        return None
    if not plain or {*found.get("strides", [1]), *found.get("dilations", [1])} != {1}:
        return None
    return next((each for each in BLOCKS if shape[2] % each[0] == 0 and shape[3] % each[1] == 0), None)


def _pixels_as_channels(graph: OnnxGraph, node: Any, block: tuple[int, int]) -> str:
    """The convolution whose output (B, C * rows * columns, h, w) holds the pixels of each block."""
    weights, (rows, columns) = graph.constants[node.input[1]], block
    channels, given, high, wide = weights.shape
    wider = np.zeros((channels, rows, columns, given, high + rows - 1, wide + columns - 1), weights.dtype)
    for row in range(rows):
        for column in range(columns):
            wider[:, row, column, :, row : row + high, column : column + wide] = weights
    wider = wider.reshape(-1, *wider.shape[3:])
    inputs = [node.input[0], graph.add_constant(wider, f"{node.name}.w", wider.dtype)]
    if len(node.input) > 2 and node.input[2]:
        bias = graph.constants[node.input[2]]
        inputs.append(graph.add_constant(np.repeat(bias, rows * columns), f"{node.name}.b", bias.dtype))
    padding = attributes(node).get("pads", [0, 0, 0, 0])
    return str(graph.add("Conv", inputs, kernel_shape=wider.shape[2:], strides=block, pads=padding).output[0])
