"""Reads what an ONNX file says about itself: inputs, outputs, metadata, without its weights and without any package.

Engines differ in what they tell (OpenVINO drops the metadata), and a deployed machine may have either of them and no `onnx`
package. The few messages of the format that matter are read directly. Source: onnx.proto of ONNX 1.x, whose field numbers are
fixed: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""
from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Union

from ppdet.core.errors import ModelDirError
from ppdet.inference.runtimes.base import is_channels_last

ELEMENT_TYPES = {1: "float32", 2: "uint8", 3: "int8", 6: "int32", 7: "int64", 9: "bool", 10: "float16", 11: "float64"}
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
Buffer = Union[bytes, memoryview]


@dataclass(frozen=True)
class OnnxValue:
    """An input or output.

    Attributes:
        name: as the graph calls it.
        dtype: NumPy's name of the type of its elements, or "type 16" for one that NumPy does not have.
        shape: each side as a number, as the graph's name for it, or None if it has none; None if the graph states no shape.
    """

    name: str
    dtype: str
    shape: tuple[int | str | None, ...] | None

    def side(self, axis: int) -> int | None:
        """Length of an axis, or None if it is not fixed."""
        if self.shape is None or not -len(self.shape) <= axis < len(self.shape):
            return None
        value = self.shape[axis]
        return value if isinstance(value, int) and value > 0 else None

    @property
    def rank(self) -> int | None:
        """Number of axes, or None if the graph does not say."""
        return None if self.shape is None else len(self.shape)

    def __str__(self) -> str:
        sides = "of unknown shape" if self.shape is None else f"({', '.join('?' if s is None else str(s) for s in self.shape)})"
        return f"{self.name} {sides} {self.dtype}"


@dataclass(frozen=True)
class OnnxHeader:
    """What an ONNX file says about itself.

    Attributes:
        path: the file.
        inputs, outputs: in the graph's order; weights that old files list among the inputs are left out.
        metadata: what the exporter wrote, text to text.
        producer: name of the exporter.
        first_operations: types of the nodes that take the first input.
    """

    path: Path
    inputs: tuple[OnnxValue, ...]
    outputs: tuple[OnnxValue, ...]
    metadata: dict[str, str] = field(default_factory=dict)
    producer: str = ""
    first_operations: tuple[str, ...] = ()

    @property
    def image_input(self) -> OnnxValue:
        """The input that takes images: the one of four axes, else the first; of three axes if it takes a single image."""
        return next((each for each in self.inputs if each.rank == 4), self.inputs[0])

    @property
    def has_channels_last(self) -> bool:
        """Whether images go in as (N, H, W, 3), TensorFlow's order; see `runtimes.base.in_network_order`."""
        return is_channels_last(self.image_input.shape or ())

    @property
    def input_wh(self) -> tuple[int, int] | None:
        """Width and height of the images, if they are fixed."""
        image = self.image_input
        height, width = (image.side(-3), image.side(-2)) if self.has_channels_last else (image.side(-2), image.side(-1))
        return None if width is None or height is None else (width, height)

    @property
    def batch(self) -> int | None:
        """How many images go in at once, or None for any number."""
        return 1 if self.image_input.rank == 3 else self.image_input.side(0)

    def describe(self) -> str:
        """Inputs and outputs in one line, for messages."""
        return f"inputs {', '.join(map(str, self.inputs))}; outputs {', '.join(map(str, self.outputs))}"


def read_onnx_header(path: str | Path) -> OnnxHeader:
    """Read the header of an ONNX file.

    Raises:
        ModelDirError: no such file, an empty one, or one that is no ONNX model.
    """
    place = Path(path)
    try:
        with place.open("rb") as file:
            # Never closed by hand: parts of it are in use until the last field is read, then it goes with them.
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return _model(place, memoryview(content))
    except OSError as error:
        raise ModelDirError(f"cannot read {place}: {error.strerror or error}; check the path") from error
    except (ValueError, IndexError, UnicodeDecodeError) as error:  # ValueError also of mmap: an empty file
        raise ModelDirError(f"{place} is no ONNX model, or it is cut short ({error}): copy or export it again") from error


def _model(path: Path, content: memoryview) -> OnnxHeader:
    producer, metadata, graph = "", {}, None
    for number, value in _fields(content):
        if number == 2 and not isinstance(value, int):
            producer = _text(value)
        elif number == 7:
            graph = value
        elif number == 14:
            entry = {key: _text(item) for key, item in _fields(value) if not isinstance(item, int)}
            metadata[entry.get(1, "")] = entry.get(2, "")
    if graph is None or isinstance(graph, int):
        raise ValueError("it holds no graph")
    inputs, outputs, nodes = [], [], []
    weights: set[str] = set()
    for number, value in _fields(graph):
        if number == 11:
            inputs.append(_value(value))
        elif number == 12:
            outputs.append(_value(value))
        elif number == 5:
            weights.update(_text(item) for key, item in _fields(value) if key == 8)
        elif number == 1:
            nodes.append(_node(value))
    given = tuple(each for each in inputs if each.name not in weights)
    if not given or not outputs:
        raise ValueError("its graph has no inputs or no outputs")
    header = OnnxHeader(path, given, tuple(outputs), metadata, producer)
    image = header.image_input.name
    first = tuple(kind for kind, names in nodes if image in names)
    return OnnxHeader(path, given, tuple(outputs), metadata, producer, first)


def _node(content: Buffer | int) -> tuple[str, list[str]]:
    """Type and input names of a node."""
    kind, names = "", []
    for number, value in _fields(content):
        if number == 1:
            names.append(_text(value))
        elif number == 4:
            kind = _text(value)
    return kind, names


def _value(content: Buffer | int) -> OnnxValue:
    name, dtype, shape = "", "", None
    for number, value in _fields(content):
        if number == 1:
            name = _text(value)
        elif number == 2:
            for kind, tensor in _fields(value):
                if kind == 1:
                    dtype, shape = _tensor(tensor)
    return OnnxValue(name, dtype, shape)


def _tensor(content: Buffer | int) -> tuple[str, tuple[int | str | None, ...] | None]:
    dtype, shape = "", None
    for number, value in _fields(content):
        if number == 1 and isinstance(value, int):
            dtype = ELEMENT_TYPES.get(value, f"type {value}")
        elif number == 2:
            shape = tuple(_side(side) for key, side in _fields(value) if key == 1)
    return dtype, shape


def _side(content: Buffer | int) -> int | str | None:
    for number, value in _fields(content):
        if number == 1 and isinstance(value, int):
            return value if value > 0 else None
        if number == 2:
            return _text(value) or None
    return None


def _text(value: Buffer | int) -> str:
    if isinstance(value, int):
        raise ValueError("a number where a text belongs")
    return bytes(value).decode("utf-8")


def _fields(content: Buffer | int) -> Iterator[tuple[int, Buffer | int]]:
    """Number and value of each field of a protobuf message."""
    if isinstance(content, int):
        raise ValueError("a number where a message belongs")
    place, end = 0, len(content)
    while place < end:
        key, place = _varint(content, place)
        kind = key & 7
        if kind == VARINT:
            value, place = _varint(content, place)
            yield key >> 3, value
            continue
        if kind == BYTES:
            size, place = _varint(content, place)
        elif kind in (FIXED64, FIXED32):
            size = 8 if kind == FIXED64 else 4
        else:
            raise ValueError(f"field of unknown kind {kind}")
        if place + size > end:
            raise ValueError("a field is longer than the file")
        yield key >> 3, content[place : place + size]
        place += size


def _varint(content: Buffer, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")
