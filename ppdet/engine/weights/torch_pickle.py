"""Reads the pickle in a PyTorch file without PyTorch and without running code.

Like :mod:`ppdet.engine.weights.restricted_pickle` with other names: the functions with which PyTorch rebuilds tensors are
replaced by stand-ins that record where the values are stored. Training checkpoints also contain an optimizer's state and NumPy
scalars (the best score), which become `Unused`. Every other name is refused.
"""

from __future__ import annotations

import pickle
from typing import Any, BinaryIO, Callable, Dict, Optional, Tuple

from ppdet.engine.weights.pickle_limits import BoundedFile, RefusedPickleError, check_pickle
from ppdet.engine.weights.torch_tensor import DTYPES, Frozen, Storage, StorageKind, TorchTensor


class Unused(Frozen):
    """A harmless object that is not a weight, such as the best score."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        """Discard the state."""


class _Call(Frozen):
    """A function of the table; its attributes cannot be set."""

    __slots__ = ("_function",)
    _function: Callable[..., Any]

    def __init__(self, function: Callable[..., Any]) -> None:
        object.__setattr__(self, "_function", function)

    def __call__(self, *args: Any) -> Any:
        return self._function(*args)

    def __setattr__(self, name: str, value: Any) -> None:
        raise RefusedPickleError("sets an attribute of a function")


class _Dict(dict):
    """An OrderedDict, without the version numbers of layers that PyTorch attaches."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        """Drop ``_metadata``."""


def _dict(*args: Any) -> _Dict:
    if len(args) > 1 or (args and not isinstance(args[0], (list, tuple, dict))):
        raise RefusedPickleError("makes a dict in an unusual way")
    return _Dict(*args)


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> TorchTensor:
    numbers = (offset, *shape, *strides) if isinstance(shape, tuple) and isinstance(strides, tuple) else (-1,)
    fits = isinstance(storage, Storage) and all(isinstance(n, int) and n >= 0 for n in numbers)
    if not fits or len(shape) != len(strides) or len(shape) > 8:
        raise RefusedPickleError("holds a tensor in a form PyTorch does not write")
    return TorchTensor(storage, offset, shape, strides)


def _parameter(data: Any, *_: Any) -> Any:
    if not isinstance(data, (TorchTensor, Unused)):
        raise RefusedPickleError("holds a parameter in a form PyTorch does not write")
    return data


def _size(*args: Any) -> Tuple[Any, ...]:
    return tuple(args[0]) if args and isinstance(args[0], (list, tuple)) else ()


def _unused(*_: Any) -> Unused:
    return Unused()


_CALLS: Dict[Tuple[str, str], Callable[..., Any]] = {
    ("collections", "OrderedDict"): _dict,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _parameter,
    ("torch", "Size"): _size,
    ("torch", "device"): _unused,
    ("collections", "Counter"): _unused,  # milestones of a learning rate
    ("builtins", "set"): _unused,
    ("_codecs", "encode"): _unused,
    ("numpy", "dtype"): _unused,
    ("numpy", "ndarray"): _unused,
}
for _package in ("numpy.core", "numpy._core"):
    _CALLS[(f"{_package}.multiarray", "scalar")] = _unused
    _CALLS[(f"{_package}.multiarray", "_reconstruct")] = _unused


class TorchUnpickler(pickle.Unpickler):
    """Reads one pickle into plain containers, strings and numbers, with `TorchTensor` for tensors.

    Args:
        file: open for reading in binary mode, at the start of the pickle.

    Attributes:
        kinds: key of every storage that the pickle refers to -> its kind.

    `load` raises RefusedPickleError for a name that weights do not need (nothing is executed), and nearly anything for a
    damaged pickle.
    """

    def __init__(self, file: BinaryIO) -> None:
        check_pickle(file)
        super().__init__(BoundedFile(file), encoding="latin1")
        self.kinds: Dict[str, StorageKind] = {}

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for a name of the table."""
        module = {"__builtin__": "builtins"}.get(module, module)
        if module in ("torch", "torch.cuda") and name in DTYPES:
            return StorageKind(name)
        if (module, name) not in _CALLS:
            raise RefusedPickleError(f"asks for {module}.{name}, which weights do not need")
        return _Call(_CALLS[(module, name)])

    def persistent_load(self, pid: Any) -> Storage:
        """A storage, given as ("storage", class, key, device, count), and in old files the part of it."""
        if isinstance(pid, tuple) and pid and pid[0] == "module":
            raise RefusedPickleError("holds the source code of a model (torch.save(model)), which weights do not need")
        if not isinstance(pid, tuple) or len(pid) not in (5, 6) or pid[0] != "storage":
            raise RefusedPickleError("refers to something that is not a storage of numbers")
        kind, key, count = pid[1], pid[2], pid[4]
        if not isinstance(kind, StorageKind) or not isinstance(key, str) or not isinstance(count, int) or count < 0:
            raise RefusedPickleError("refers to a storage in a form PyTorch does not write")
        if self.kinds.setdefault(key, kind).name != kind.name:
            raise RefusedPickleError(f"uses the storage {key!r} as {self.kinds[key].name} and as {kind.name}")
        first, size = _part(pid[5] if len(pid) == 6 else None)
        return Storage(kind, key, count if size is None else size, first)


def _part(view: Any) -> Tuple[int, Optional[int]]:
    """First element and length of a part of a storage in an old file; None for the whole."""
    if view is None:
        return 0, None
    if not isinstance(view, tuple) or len(view) != 3 or not all(isinstance(n, int) and n >= 0 for n in view[1:]):
        raise RefusedPickleError("refers to a part of a storage in a form PyTorch does not write")
    return view[1], view[2]
