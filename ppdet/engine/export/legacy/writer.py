"""From an ONNX file to `model.pdmodel` and `model.pdiparams`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping, Sequence

import numpy as np

from ppdet.core.errors import ExportError
from ppdet.engine.export.legacy.operators import OPERATORS
from ppdet.engine.export.legacy.program import ProgramWriter
from ppdet.engine.export.legacy.translation import Translation
from ppdet.engine.export.rewriting.graph import OnnxGraph


def write_program(
    onnx_file: Path, folder: Path, stem: str = "model", suppression: Mapping[str, Any] | None = None
) -> tuple[Path, Path]:
    """Write an ONNX graph as a Paddle 2 program.

    Args:
        onnx_file: the graph, with constant shapes where it reshapes; see `export.rewriting`.
        folder: where {stem}.pdmodel and {stem}.pdiparams go.
        stem: of the file names.
        suppression: settings of the non-maximum suppression to append to a detector with the outputs boxes and scores.

    Returns:
        Both paths.

    Raises:
        ExportError: an operator has no counterpart.
    """
    import onnx

    graph = OnnxGraph(onnx.load(str(onnx_file)))
    nodes = graph.ordered()
    unknown = sorted({node.op_type for node in nodes if node.op_type not in OPERATORS})
    if unknown:
        raise ExportError(f"the target legacy knows no counterpart of {', '.join(unknown)}: leave out legacy and lite")
    writer = ProgramWriter()
    translation = Translation(graph, writer)
    for column, name in enumerate(graph.inputs):
        writer.feed(name, graph.shape(name) or (), np.float32, column)
    for node in nodes:
        OPERATORS[node.op_type](translation, node)
    outputs = [translation.value(name) for name in graph.outputs]
    if suppression is not None:
        outputs = _suppressed(writer, outputs, suppression)
    for column, name in enumerate(outputs):
        writer.fetch(name, column)
    program, params = folder / f"{stem}.pdmodel", folder / f"{stem}.pdiparams"
    writer.write(program, params)
    return program, params


def _suppressed(writer: ProgramWriter, outputs: Sequence[str], settings: Mapping[str, Any]) -> list[str]:
    """Append PaddleDetection's suppression to the outputs boxes (B, L, 4) and scores (B, C, L)."""
    boxes, scores = outputs
    rows, index, counts = writer.name("boxes"), writer.name("index"), writer.name("counts")
    writer.variable(rows, (None, 6))
    writer.variable(index, (None, 1), np.int32)
    writer.variable(counts, (None,), np.int32)
    numbers = {
        "background_label": -1,
        "score_threshold": float(settings["score_threshold"]),
        "nms_top_k": int(settings["nms_top_k"]),
        "nms_threshold": float(settings["nms_threshold"]),
        "nms_eta": 1.0,
        "keep_top_k": int(settings["keep_top_k"]),
        "normalized": bool(settings.get("normalized", True)),
    }
    named = {"Out": [rows], "Index": [index], "NmsRoisNum": [counts]}
    writer.operator("multiclass_nms3", {"BBoxes": [boxes], "Scores": [scores]}, named, numbers)
    return [rows, counts]
