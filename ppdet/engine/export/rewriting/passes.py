"""The passes in order, and how a file is rewritten by them."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Sequence

from ppdet.core.files import atomic_write
from ppdet.engine.export.rewriting.channel_routes import route_channels
from ppdet.engine.export.rewriting.constants import drop_identities, fold_constants
from ppdet.engine.export.rewriting.convolutions import fold_batch_norms
from ppdet.engine.export.rewriting.corner_resize import resize_in_one
from ppdet.engine.export.rewriting.graph import OnnxGraph
from ppdet.engine.export.rewriting.narrow_outputs import fill_narrow_outputs
from ppdet.engine.export.rewriting.static_shapes import write_static_shapes
from ppdet.engine.export.rewriting.upsampled_sums import nest_upsampled_sums

Pass = Callable[[OnnxGraph], int]
#: Each changes a graph into an equivalent one and returns how often. The gain of each: docs/export.md.
PASSES: tuple[Pass, ...] = (
    fold_constants,
    write_static_shapes,
    drop_identities,
    fold_batch_norms,
    resize_in_one,
    nest_upsampled_sums,
    route_channels,
    fill_narrow_outputs,
)

#: For writers that know shuffles but no other rearrangement of channels (Paddle Lite has an operator for them).
PLAIN_PASSES = tuple(each for each in PASSES if each is not route_channels)


def rewrite_file(path: Path, passes: Sequence[Pass] = PASSES) -> dict[str, int]:
    """Rewrite an ONNX file by the passes; it is replaced atomically.

    Returns:
        How often each pass found something, by its name.
    """
    import onnx

    graph = OnnxGraph(onnx.load(str(path)))
    counts = {each.__name__: each(graph) for each in passes}
    model = graph.model()
    onnx.checker.check_model(model)
    with atomic_write(path, "wb") as file:
        file.write(model.SerializeToString())
    return counts
