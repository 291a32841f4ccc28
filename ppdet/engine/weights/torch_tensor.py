"""Tensors of a PyTorch file: where their values are stored, and conversion to arrays."""

from __future__ import annotations

from typing import Any, Callable, Dict, Tuple

import numpy as np

from ppdet.engine.weights.pickle_limits import RefusedPickleError

#: storage class -> dtype; bfloat16 is the upper half of a float32
DTYPES: Dict[str, str] = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
#: largest number of elements of a view that repeats elements (stride 0), so that a tiny file cannot use up the memory
REPEATED = 1 << 24


class Frozen:
    """Base of objects that a pickle may contain, but not modify."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        raise RefusedPickleError("sets the state of something that has none in a weight file")


class StorageKind(Frozen):
    """A class such as ``torch.FloatStorage``: a name for a dtype."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def itemsize(self) -> int:
        return 2 if DTYPES[self.name] == "bfloat16" else np.dtype(DTYPES[self.name]).itemsize


class Storage(Frozen):
    """`count` elements of the storage `key` in the file, from element `first` on."""

    __slots__ = ("kind", "key", "first", "count")

    def __init__(self, kind: StorageKind, key: str, count: int, first: int = 0) -> None:
        self.kind, self.key, self.count, self.first = kind, key, count, first


class TorchTensor(Frozen):
    """A view of a storage; offset and strides are in elements."""

    __slots__ = ("storage", "offset", "shape", "strides")

    def __init__(self, storage: Storage, offset: int, shape: Tuple[int, ...], strides: Tuple[int, ...]) -> None:
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides

    @property
    def nbytes(self) -> int:
        """Size of the array in bytes."""
        return _elements(self.shape) * (4 if DTYPES[self.storage.kind.name] == "bfloat16" else self.storage.kind.itemsize)

    def array(self, read: Callable[[Storage], bytes], big_endian: bool = False) -> np.ndarray:
        """Copy the values from the file into a C-ordered array.

        Args:
            read: function that returns the storage's bytes.
            big_endian: byte order of the file.

        Returns:
            Array with the tensor's shape and dtype; bfloat16 becomes float32, without loss.

        Raises:
            RefusedPickleError: the view reaches beyond its storage.
        """
        size = _elements(self.shape)
        last = self.offset + sum((n - 1) * step for n, step in zip(self.shape, self.strides))
        if size and last >= self.storage.count:
            raise RefusedPickleError(f"holds a tensor of shape {self.shape} that reaches beyond its {self.storage.count} numbers")
        if size > max(self.storage.count, REPEATED):
            raise RefusedPickleError(f"holds a tensor of shape {self.shape} made of only {self.storage.count} numbers")
        if not size:
            return np.zeros(self.shape, _decoded(self.storage.kind, b"", big_endian).dtype)
        flat = _decoded(self.storage.kind, read(self.storage), big_endian)[self.offset : last + 1]
        steps = [step * flat.itemsize for step in self.strides]
        return np.lib.stride_tricks.as_strided(flat, self.shape, steps, writeable=False).copy(order="C")


def _elements(shape: Tuple[int, ...]) -> int:
    size = 1
    for side in shape:
        size *= side
    return size


def _decoded(kind: StorageKind, data: bytes, big_endian: bool) -> np.ndarray:
    order = ">" if big_endian else "<"
    code = DTYPES[kind.name]
    if code == "bfloat16":
        halves = np.frombuffer(data, f"{order}u2").astype(np.uint32)
        return (halves << np.uint32(16)).view(np.float32)
    return np.frombuffer(data, f"{order}{code}").astype(code)
