"""Converts an exported Paddle 3 program to ONNX with paddle2onnx, and cleans up the result."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Sequence

from ppdet.core.errors import ExportError
from ppdet.engine.export.rewriting.passes import rewrite_file

OPSET = 13
# Run in a separate process, since paddle2onnx terminates the process on an unknown operator. Its default optimiser is switched
# off because it installs packages with pip at run time; the engines fold constants themselves.
_SCRIPT = (
    "import sys, paddle2onnx; paddle2onnx.export(sys.argv[1], sys.argv[2], sys.argv[3], "
    "opset_version=int(sys.argv[4]), enable_onnx_checker=True, optimize_tool='None')"
)
LINES_SHOWN = 12


def convert_to_onnx(
    program: Path, params: Path, target: Path, output_names: Sequence[str], rewrite: bool = True
) -> None:
    """Convert `program` (model.json) and `params` (model.pdiparams) to the ONNX file `target`.

    Args:
        output_names: new names of the outputs, in order.
        rewrite: turn the graph into an equivalent one that the engines run faster (`export.rewriting`).

    Raises:
        ExportError: paddle2onnx is not installed, or cannot convert the program; its output is in the message.
    """
    missing = [package for package in ("paddle2onnx", "onnx") if find_spec(package) is None]
    if missing:
        raise ExportError(
            f"--onnx needs {' and '.join(missing)}: pip install 'paddle2onnx==2.1.0' 'onnx<=1.17', or export without it."
        )
    arguments = [str(program), str(params), str(target), str(OPSET)]
    done = subprocess.run([sys.executable, "-c", _SCRIPT, *arguments], capture_output=True, text=True)
    if done.returncode != 0 or not target.is_file():
        said = "\n  ".join((done.stdout + done.stderr).strip().splitlines()[-LINES_SHOWN:])
        raise ExportError(f"paddle2onnx could not convert the network (exit {done.returncode}). It said:\n  {said}")
    _tidy(target, output_names)
    if rewrite:
        rewrite_file(target)


def _tidy(path: Path, output_names: Sequence[str]) -> None:
    """Drop unused weights (engines warn about each), name the outputs, and name the first axis "batch"."""
    import onnx

    model = onnx.load(str(path))
    graph = model.graph
    if len(graph.output) != len(output_names):
        raise ExportError(f"{path.name} has {len(graph.output)} outputs, expected {', '.join(output_names)}.")
    _drop_dead(graph)
    for output, name in zip(graph.output, output_names):
        _rename(graph, output.name, name)
        output.name = name
    for value in graph.input:
        axes = value.type.tensor_type.shape.dim
        if axes and axes[0].dim_param:
            axes[0].dim_param = "batch"
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _drop_dead(graph: Any) -> None:
    """Remove nodes and weights that no output depends on. Nodes are in topological order."""
    live = {output.name for output in graph.output}
    kept = []
    for node in reversed(graph.node):
        if live.intersection(node.output):
            kept.append(node)
            live.update(name for each in [node, *_inner_nodes(node)] for name in each.input)
    weights = [tensor for tensor in graph.initializer if tensor.name in live]
    for field, values in ((graph.node, kept[::-1]), (graph.initializer, weights)):
        del field[:]
        field.extend(values)


def _inner_nodes(node: Any) -> list:
    return [inner for attribute in node.attribute if attribute.HasField("g") for inner in _all_nodes(attribute.g)]


def _all_nodes(graph: Any) -> list:
    return [each for node in graph.node for each in [node, *_inner_nodes(node)]]


def _rename(graph: Any, old: str, new: str) -> None:
    for node in _all_nodes(graph):
        for names in (node.input, node.output):
            for position, name in enumerate(names):
                if name == old:
                    names[position] = new


def converter_version() -> str:
    """Version of the installed paddle2onnx."""
    return metadata.version("paddle2onnx")
