"""Files as torch.save writes them, made without PyTorch, so that tests can make good ones and bad ones."""

from __future__ import annotations

import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any, Dict, List, Sequence, Union

import numpy as np

CLASSES = {"f8": "Double", "f4": "Float", "f2": "Half", "i8": "Long", "i4": "Int", "u1": "Byte", "b1": "Bool"}


class Name:
    """A global of the pickle."""

    def __init__(self, module: str, name: str) -> None:
        self.code = b"c" + f"{module}\n{name}\n".encode()


class Call:
    """A call of a global, followed by an optional state."""

    def __init__(self, function: Name, *args: Any, state: Any = None) -> None:
        self.function, self.args, self.state = function, args, state


class Persistent:
    """What the pickle refers to by a persistent id."""

    def __init__(self, pid: Any) -> None:
        self.pid = pid


class TorchPickle:
    """Pickle and storages of a value made of containers, numbers, arrays and the classes above."""

    def __init__(self, value: Any, legacy: bool = False) -> None:
        self.storages: List[np.ndarray] = []
        self._legacy = legacy
        self.data = b"\x80\x02" + self._code(value) + b"."

    def _code(self, value: Any) -> bytes:
        if isinstance(value, Name):
            return value.code
        if isinstance(value, Call):
            state = b"" if value.state is None else self._code(value.state) + b"b"
            return value.function.code + self._code(tuple(value.args)) + b"R" + state
        if isinstance(value, Persistent):
            return self._code(value.pid) + b"Q"
        if isinstance(value, np.ndarray):
            return self._code(self._tensor(value))
        if isinstance(value, dict):
            items = b"".join(self._code(k) + self._code(v) for k, v in value.items())
            return Name("collections", "OrderedDict").code + b")R(" + items + b"u"
        if isinstance(value, tuple):
            return b"(" + b"".join(map(self._code, value)) + b"t"
        if isinstance(value, list):
            return b"](" + b"".join(map(self._code, value)) + b"e"
        return pickle.dumps(value, protocol=2)[2:-1]

    def _tensor(self, array: np.ndarray) -> Call:
        strides = tuple(int(n) for n in np.cumprod([1, *array.shape[:0:-1]])[::-1]) if array.ndim else ()
        self.storages.append(np.ascontiguousarray(array))
        storage = Name("torch", CLASSES[array.dtype.str[1:]] + "Storage")
        view = (None,) if self._legacy else ()
        pid = Persistent(("storage", storage, str(len(self.storages) - 1), "cpu", array.size, *view))
        return Call(Name("torch._utils", "_rebuild_tensor_v2"), pid, 0, tuple(array.shape), strides, False, {})


def write_zip(path: Path, value: Any, compression: int = zipfile.ZIP_STORED) -> Path:
    """PyTorch 1.6 and later."""
    made = TorchPickle(value)
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", made.data)
        for key, storage in enumerate(made.storages):
            archive.writestr(f"archive/data/{key}", storage.tobytes())
        archive.writestr("archive/version", "3\n")
    return path


def write_legacy(path: Path, value: Any) -> Path:
    """PyTorch before 1.6."""
    made = TorchPickle(value, legacy=True)
    heads = (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}})
    with open(path, "wb") as file:
        for head in heads:
            file.write(pickle.dumps(head, protocol=2))
        file.write(made.data)
        file.write(pickle.dumps([str(i) for i in range(len(made.storages))], protocol=2))
        for storage in made.storages:
            file.write(struct.pack("<q", storage.size) + storage.tobytes())
    return path


def random_state(shapes: Dict[str, Sequence[int]], seed: int = 0) -> Dict[str, np.ndarray]:
    """Random weights, variances positive, counters whole."""
    rng = np.random.default_rng(seed)
    state: Dict[str, Union[np.ndarray, Any]] = {}
    for key, shape in shapes.items():
        if key.endswith("num_batches_tracked"):
            state[key] = np.asarray(5, np.int64)
        else:
            values = rng.standard_normal(tuple(shape), np.float32)
            state[key] = np.abs(values) + np.float32(0.5) if key.endswith("running_var") else values
    return state
