"""Reads pickles of NumPy arrays without running any code that they contain.

A pickle is a program that may call any importable function. This reader accepts a few names and replaces each of them by a
stand-in, so that not even NumPy is called with arguments from the file. Everything else is refused.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from typing import Any, BinaryIO, Callable, Dict, List, Optional, Tuple

import numpy as np

from ppdet.engine.weights.pickle_limits import BoundedFile, RefusedPickleError, check_pickle

KINDS = "fiubc"  # float, signed, unsigned, bool, complex


class _Name:
    """A function that the pickle may call; its attributes cannot be set."""

    __slots__ = ("_call",)
    _call: Callable[..., Any]

    def __init__(self, call: Callable[..., Any]) -> None:
        object.__setattr__(self, "_call", call)

    def __call__(self, *args: Any) -> Any:
        return self._call(*args)

    def __setattr__(self, name: str, value: Any) -> None:
        raise RefusedPickleError("sets an attribute of a function")

    def __setstate__(self, state: Any) -> None:
        raise RefusedPickleError("sets the state of a function")


class _Dtype:
    """Stand-in for a NumPy dtype of plain numbers, with the byte order as its only state."""

    __slots__ = ("dtype",)

    def __init__(self, code: Any, align: Any = False, copy: Any = False) -> None:
        code = code.decode("ascii") if isinstance(code, bytes) else code
        if not isinstance(code, str) or code.lstrip("<>=|")[:1] not in set("fiubc?"):
            raise RefusedPickleError(f"holds an array of dtype {code!r}; weights are plain numbers")
        dtype = np.dtype(code)
        if dtype.kind not in KINDS or dtype.fields is not None or dtype.shape:
            raise RefusedPickleError(f"holds an array of dtype {code!r}; weights are plain numbers")
        self.dtype = dtype

    def __setstate__(self, state: Any) -> None:
        order: Any = state[1] if isinstance(state, tuple) and len(state) >= 5 else None
        order = order.decode("ascii") if isinstance(order, bytes) else order
        if order not in ("<", ">", "=", "|") or any(state[2:5]):
            raise RefusedPickleError("holds an array with a structured dtype; weights are plain numbers")
        self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """Stand-in for a NumPy array until its state arrives."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: Optional[np.ndarray] = None

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise RefusedPickleError("holds an array in a form numpy does not write")
        _, shape, dtype, fortran, data = state
        self.value = _array(data, dtype, shape, "F" if fortran else "C")


def _array(data: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    """An array with memory of its own, after checking that the number of bytes fits the shape."""
    if isinstance(data, str):  # a str of Python 2
        data = data.encode("latin1")
    if not isinstance(data, (bytes, bytearray, pickle.PickleBuffer)):
        raise RefusedPickleError("holds an array of Python objects; weights are plain numbers")
    shape = (shape,) if isinstance(shape, int) else shape
    if not isinstance(dtype, _Dtype) or not isinstance(shape, tuple) or order not in ("C", "F"):
        raise RefusedPickleError("holds an array in a form numpy does not write")
    if not all(isinstance(side, int) and side >= 0 for side in shape):
        raise RefusedPickleError(f"holds an array of shape {shape!r}")
    count = 1
    for side in shape:
        count *= side
    size = len(memoryview(data).cast("B"))
    if count * dtype.dtype.itemsize != size:
        raise RefusedPickleError(f"holds an array of shape {shape} with {size} bytes of {dtype.dtype}")
    flat = np.frombuffer(memoryview(data), dtype=dtype.dtype) if count else np.empty(0, dtype.dtype)
    return flat.reshape(shape, order=order).astype(dtype.dtype.newbyteorder("="), copy=True)


def _new_array(kind: Any, shape: Any, code: Any) -> _Array:
    """Replaces NumPy's ``_reconstruct``, whose arguments are always the same."""
    if not isinstance(kind, _Name) or shape != (0,) or code not in (b"b", "b"):
        raise RefusedPickleError("makes an array in a way numpy does not write")
    return _Array()


def _from_buffer(data: Any, dtype: Any, shape: Any, order: Any) -> _Array:
    """Replaces NumPy's ``_frombuffer`` of protocol 5."""
    made = _Array()
    made.value = _array(data, dtype, shape, order)
    return made


def _scalar(dtype: Any, data: Any) -> _Array:
    return _from_buffer(data, dtype, (), "C")


def _encode(text: Any, encoding: Any) -> bytes:
    """Replaces ``_codecs.encode``, with which protocol 2 encodes bytes."""
    if not isinstance(text, str) or encoding != "latin1":
        raise RefusedPickleError("encodes something else than bytes")
    return text.encode("latin1")


def _ordered_dict(*args: Any) -> Dict[Any, Any]:
    if args and not (len(args) == 1 and isinstance(args[0], list)):
        raise RefusedPickleError("makes an OrderedDict in an unusual way")
    return OrderedDict(*args)


def _container(kind: Callable[[Any], Any]) -> Callable[..., Any]:
    def make(*args: Any) -> Any:
        if args and not (len(args) == 1 and isinstance(args[0], (list, tuple, bytes, bytearray))):
            raise RefusedPickleError(f"makes a {getattr(kind, '__name__', 'container')} in an unusual way")
        return kind(*args)

    return make


def _never_called(*args: Any) -> Any:
    raise RefusedPickleError("makes an array in a way numpy does not write")


_CALLS: Dict[Tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): _never_called,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): _ordered_dict,
    ("builtins", "tuple"): _container(tuple),
    ("builtins", "list"): _container(list),
    ("builtins", "set"): _container(set),
    ("builtins", "frozenset"): _container(frozenset),
    ("builtins", "bytes"): _container(bytes),
    ("builtins", "bytearray"): _container(bytearray),
}
for _package in ("numpy.core", "numpy._core"):
    _CALLS[(f"{_package}.multiarray", "_reconstruct")] = _new_array
    _CALLS[(f"{_package}.multiarray", "scalar")] = _scalar
    _CALLS[(f"{_package}.numeric", "_frombuffer")] = _from_buffer


class _Unpickler(pickle.Unpickler):
    """Unpickler that resolves only the names of the table above, and imports nothing."""

    def find_class(self, module: str, name: str) -> Any:
        module = {"__builtin__": "builtins"}.get(module, module)
        if (module, name) not in _CALLS:
            raise RefusedPickleError(f"asks for {module}.{name}, which weights do not need")
        return _Name(_CALLS[(module, name)])

    def persistent_load(self, pid: Any) -> Any:
        raise RefusedPickleError("refers to data outside of the file")


def load_restricted(file: BinaryIO) -> Any:
    """Read one pickle of protocols 0 to 5.

    Args:
        file: open for reading in binary mode, at the start of the pickle.

    Returns:
        Dicts, lists, tuples, sets, strings, bytes, numbers and NumPy arrays of numbers, in native byte order.

    Raises:
        RefusedPickleError: it contains anything else, or too much; no code was executed.
        EOFError, pickle.UnpicklingError, ValueError, ...: damaged, or not a pickle.
    """
    check_pickle(file)
    return _unwrap(_Unpickler(BoundedFile(file), encoding="latin1").load(), [], {})


def loads_restricted(data: bytes) -> Any:
    """`load_restricted` for bytes."""
    return load_restricted(io.BytesIO(data))


def _unwrap(value: Any, parents: List[int], done: Dict[int, Any]) -> Any:
    """Replace the stand-ins by arrays; an object that occurs in several places stays one object."""
    if isinstance(value, _Array):
        if value.value is None:
            raise RefusedPickleError("holds an array without its data")
        return value.value
    if isinstance(value, (_Name, _Dtype)):
        raise RefusedPickleError("holds a function or a type; weights are plain numbers")
    if not isinstance(value, (dict, list, tuple, set, frozenset)):
        return value
    if id(value) in parents:
        raise RefusedPickleError("holds a container that contains itself")
    if id(value) not in done:
        inner = [*parents, id(value)]
        if isinstance(value, dict):
            new: Any = {_unwrap(key, inner, done): _unwrap(item, inner, done) for key, item in value.items()}
        else:
            new = type(value)(_unwrap(item, inner, done) for item in value)
        done[id(value)] = new
    return done[id(value)]
