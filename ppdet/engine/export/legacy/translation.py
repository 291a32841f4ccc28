"""What the translations of all operators share: values, constants, shapes, types."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from ppdet.core.errors import ExportError
from ppdet.engine.export.legacy.program import ProgramWriter
from ppdet.engine.export.rewriting.graph import OnnxGraph, attributes


class Translation:
    """An ONNX graph that is being translated into a program.

    Args:
        graph: the graph.
        writer: receives the operators.
    """

    def __init__(self, graph: OnnxGraph, writer: ProgramWriter) -> None:
        self.graph, self.writer = graph, writer
        self._types = _types(graph)

    def value(self, name: str) -> str:
        """The name of a value in the program; a constant becomes a parameter."""
        constant = self.graph.constant(name)
        return name if constant is None else self.writer.parameter(constant, name)

    def out(self, name: str) -> str:
        """Declare an output of a node."""
        return self.writer.variable(name, self.graph.shape(name), self.dtype(name))

    def between(self, like: str, hint: str, shape: Sequence[int | None] | None = None) -> str:
        """Declare a value that the ONNX graph does not have, of the type (and shape) of another."""
        return self.writer.variable(self.writer.name(hint), self.graph.shape(like) if shape is None else shape, self.dtype(like))

    def dtype(self, name: str) -> Any:
        """NumPy type of a value."""
        constant = self.graph.constant(name)
        return constant.dtype if constant is not None else self._types.get(name, np.dtype(np.float32))

    def shape(self, name: str) -> tuple[Any, ...]:
        """Shape of a value, None for sides that depend on the input.

        Raises:
            ExportError: not even the number of axes is known.
        """
        shape = self.graph.shape(name)
        if shape is None:
            raise ExportError(f"the shape of {name} is unknown, so it cannot be written as a .pdmodel; leave out legacy and lite")
        return shape

    def constant(self, name: str, node: Any) -> np.ndarray:
        """A constant input of a node.

        Raises:
            ExportError: it is computed from the input.
        """
        values = self.graph.constant(name)
        if values is None:
            raise ExportError(
                f"{node.op_type} {node.name} takes {name} from the image, but a .pdmodel needs it as a constant; leave out "
                "legacy and lite"
            )
        return values

    def options(self, node: Any) -> dict[str, Any]:
        """Attributes of a node."""
        return attributes(node)

    def shape_record(self, name: str) -> str:
        """The output XShape that reshaping operators declare: the shape before, with a leading 0."""
        return self.writer.variable(self.writer.name("xshape"), (0, *self.shape(name)), self.dtype(name))


def _types(graph: OnnxGraph) -> dict[str, Any]:
    import onnx

    inferred = onnx.shape_inference.infer_shapes(graph.model()).graph
    values = [*inferred.input, *inferred.value_info, *inferred.output]
    return {
        value.name: np.dtype(onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type))
        for value in values
        if value.type.tensor_type.elem_type
    }
