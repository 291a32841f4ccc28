"""Writes a Paddle 2 program: `model.pdmodel`, a protocol buffer of variables and operators, and `model.pdiparams`, its arrays.

Paddle 3 still carries the format's description (`paddle.base.proto.framework_pb2`) but no longer writes it, or writes it
wrongly: see docs/versions.md. Operators and attributes are those of Paddle 2.x; every output that an operator declares is
present, which `paddle_lite_opt` insists on.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Mapping, Sequence

import numpy as np

from ppdet.core.errors import ExportError
from ppdet.core.files import atomic_write

DTYPES = {"float32": "FP32", "int64": "INT64", "int32": "INT32", "bool": "BOOL", "float16": "FP16", "float64": "FP64"}


class ProgramWriter:
    """A program that is built operator by operator, in order."""

    def __init__(self) -> None:
        from paddle.base.proto import framework_pb2

        self._proto: Any = framework_pb2
        self._program = self._proto.ProgramDesc()
        self._program.version.version = 0
        self._block = self._program.blocks.add()
        self._block.idx, self._block.parent_idx = 0, -1
        self._parameters: dict[str, np.ndarray] = {}
        self._known: set[str] = set()
        self._count = 0
        for name, kind in (("feed", 9), ("fetch", 10)):  # FEED_MINIBATCH, FETCH_LIST
            variable = self._block.vars.add()
            variable.name, variable.persistable, variable.type.type = name, True, kind

    # ---------------------------------------------------------------- variables

    def name(self, hint: str) -> str:
        """A new name."""
        self._count += 1
        return f"{hint}_{self._count}.tmp_0"

    def variable(self, name: str, shape: Sequence[int | None] | None, dtype: Any = np.float32) -> str:
        """Declare a variable; sides that are unknown are None. Returns its name."""
        if name not in self._known:
            self._declare(name, [-1 if side is None else int(side) for side in shape or [None]], dtype)
        return name

    def parameter(self, values: np.ndarray, name: str = "") -> str:
        """Add an array that is stored with the program; returns its name."""
        name = name or self.name("parameter")
        if name not in self._parameters:
            self._parameters[name] = np.ascontiguousarray(values)
            variable = self._declare(name, list(values.shape), values.dtype)
            variable.persistable = True
        return name

    def _declare(self, name: str, shape: list[int], dtype: Any) -> Any:
        self._known.add(name)
        variable = self._block.vars.add()
        variable.name = name
        variable.type.type = 7  # a dense tensor
        # Paddle 3.2 renamed the field; its number, and so the file, is the same.
        holder = variable.type.dense_tensor if hasattr(variable.type, "dense_tensor") else variable.type.lod_tensor
        holder.tensor.data_type = self.dtype(dtype)
        holder.tensor.dims.extend(shape)
        return variable

    def dtype(self, dtype: Any) -> int:
        """The format's number of a NumPy type.

        Raises:
            ExportError: it has none.
        """
        name = np.dtype(dtype).name
        if name not in DTYPES:
            raise ExportError(f"a .pdmodel has no type {name}: leave out the target legacy")
        return int(getattr(self._proto.VarType, DTYPES[name]))

    # ---------------------------------------------------------------- operators

    def feed(self, name: str, shape: Sequence[int | None], dtype: Any, column: int) -> None:
        """Declare an input of the program."""
        self.variable(name, shape, dtype)
        self._block.vars[-1].need_check_feed = True
        self.operator("feed", {"X": ["feed"]}, {"Out": [name]}, {"col": column})

    def fetch(self, name: str, column: int) -> None:
        """Declare an output of the program."""
        self.operator("fetch", {"X": [name]}, {"Out": ["fetch"]}, {"col": column})

    def operator(
        self,
        kind: str,
        inputs: Mapping[str, Sequence[str]],
        outputs: Mapping[str, Sequence[str]],
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        """Append an operator."""
        operator = self._block.ops.add()
        operator.type = kind
        for field, given in ((operator.inputs, inputs), (operator.outputs, outputs)):
            for parameter, names in given.items():
                entry = field.add()
                entry.parameter = parameter
                entry.arguments.extend(names)
        for name, value in (attributes or {}).items():
            self._set(operator.attrs.add(), name, value)

    def _set(self, attribute: Any, name: str, value: Any) -> None:
        kinds = self._proto
        attribute.name = name
        if isinstance(value, bool):
            attribute.type, attribute.b = kinds.BOOLEAN, value
        elif isinstance(value, np.int64):
            attribute.type, attribute.l = kinds.LONG, int(value)
        elif isinstance(value, int):
            attribute.type, attribute.i = kinds.INT, int(value)
        elif isinstance(value, (float, np.floating)):
            attribute.type, attribute.f = kinds.FLOAT, float(value)
        elif isinstance(value, str):
            attribute.type, attribute.s = kinds.STRING, value
        elif isinstance(value, np.ndarray) and value.dtype == np.float32:  # an empty list has a type, too
            attribute.type = kinds.FLOATS
            attribute.floats.extend(float(each) for each in value)
        else:
            attribute.type = kinds.INTS
            attribute.ints.extend(int(each) for each in value)

    # ---------------------------------------------------------------- files

    def write(self, program: Path, params: Path) -> None:
        """Write both files."""
        with atomic_write(program, "wb") as file:
            file.write(self._program.SerializeToString())
        with atomic_write(params, "wb") as file:
            for name in sorted(self._parameters):  # readers expect the order of the names
                file.write(self._serialized(self._parameters[name]))

    def _serialized(self, values: np.ndarray) -> bytes:
        """One array of a `.pdiparams` file: versions, no levels of detail, description, values."""
        description = self._proto.VarType.TensorDesc()
        description.data_type = self.dtype(values.dtype)
        description.dims.extend(values.shape)
        text = description.SerializeToString()
        return struct.pack("<IQIi", 0, 0, 0, len(text)) + text + values.tobytes()
