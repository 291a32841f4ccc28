"""The reader takes what weights are made of, and runs nothing."""

from __future__ import annotations

import os
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ppdet.engine.weights.pickle_limits import RefusedPickleError
from ppdet.engine.weights.restricted_pickle import loads_restricted

PROTOCOLS = range(6)
DTYPES = ["f4", "f8", "f2", "i8", "i4", "u1", "u2", "?", "c8", ">f4"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_come_back(protocol: int, dtype: str) -> None:
    array = (np.arange(6).reshape(2, 3) % 2).astype(dtype)
    for value in (array, array.T, array[:, ::2], np.asfortranarray(array), array[:0], np.array(1).astype(dtype)):
        back = loads_restricted(pickle.dumps(value, protocol))
        assert back.dtype == value.dtype.newbyteorder("=") and back.shape == value.shape
        np.testing.assert_array_equal(back, value)
        assert back.flags.owndata or back.base is None or back.size == 0 or back.flags.writeable


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(
        st.sampled_from(["<f4", "<f8", "<i8", "<u2", "|b1"]), hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
    ),
    st.sampled_from(list(PROTOCOLS)),
)
def test_any_array_comes_back(array: np.ndarray, protocol: int) -> None:
    back = loads_restricted(pickle.dumps(array, protocol))
    assert back.shape == array.shape and back.dtype == array.dtype and back.tobytes() == array.tobytes()


@pytest.mark.parametrize("protocol", range(2, 6))
def test_containers_come_back(protocol: int) -> None:
    value = OrderedDict(a=[np.float32(2.5), (1, "x", None)], b={"c": {1, 2}, "d": b"bytes", "e": frozenset([3])}, f=True)
    back = loads_restricted(pickle.dumps(value, protocol))
    assert back == {"a": [2.5, (1, "x", None)], "b": value["b"], "f": True}
    assert list(back) == list(value)


def test_one_array_under_two_names_is_one_array() -> None:
    array = np.ones(3)
    back = loads_restricted(pickle.dumps({"a": array, "b": array}))
    np.testing.assert_array_equal(back["a"], back["b"])


class _Calls:
    """Pickles as a call of a function, as an attack does."""

    def __init__(self, function, *args) -> None:
        self._call = (function, args)

    def __reduce__(self):
        return self._call


@pytest.mark.parametrize("protocol", range(2, 6))
def test_calls_are_refused_and_not_made(protocol: int, tmp_path: Path) -> None:
    witness = tmp_path / "executed"
    code = f"open({str(witness)!r}, 'w').close()"
    attacks = {
        "system": _Calls(os.system, f"touch {witness}"),
        "eval": _Calls(eval, code),
        "exec": _Calls(exec, code),
        "getattr": _Calls(getattr, "text", "format"),
        "import": _Calls(__import__, "os"),
        "numpy": _Calls(np.fromfile, str(witness)),
        "open": _Calls(open, str(witness), "w"),
    }
    for name, attack in attacks.items():
        for wrapped in (attack, {"w": np.ones(2), "x": [attack]}, {"deep": [{"er": (attack,)}]}):
            with pytest.raises(RefusedPickleError, match="asks for"):
                loads_restricted(pickle.dumps(wrapped, protocol))
        assert not witness.exists(), name


def test_the_refusal_names_the_function() -> None:
    with pytest.raises(RefusedPickleError, match=r"(posix|nt)\.system"):
        loads_restricted(pickle.dumps(_Calls(os.system, "true")))


def test_nested_reduce_through_allowed_names_is_refused() -> None:
    """Known names, called in ways numpy never writes."""
    for attack in (
        _Calls(np.ndarray, (1 << 40,)),  # would allocate 8 TB
        _Calls(np.dtype, "O"),
        _Calls(np.dtype, [("a", "O")]),
        _Calls(np.dtype, _Calls(np.dtype, "f4")),
        _Calls(np.dtype, "f4,f4"),
        _Calls(np.dtype, "M8[ns]"),
        _Calls(np.dtype, "V8"),
        _Calls(tuple, range(3)),
        _Calls(list, "text"),
        _Calls(bytearray, 1 << 40),
        _Calls(OrderedDict, {"a": 1}),
    ):
        with pytest.raises(RefusedPickleError):
            loads_restricted(pickle.dumps({"x": attack}))


def test_object_arrays_are_refused() -> None:
    for value in (np.array([None, {}], dtype=object), np.array([_Calls(os.system, "true")], dtype=object)):
        with pytest.raises(RefusedPickleError):
            loads_restricted(pickle.dumps({"x": value}))


@pytest.mark.parametrize("value", [np.array(["a"]), np.zeros(2, "f4,i4"), np.zeros(1, "M8[s]"), np.float32, np.dtype("f4")])
def test_other_arrays_and_bare_types_are_refused(value) -> None:
    with pytest.raises(RefusedPickleError):
        loads_restricted(pickle.dumps({"x": value}))


def _raw(*parts: bytes) -> bytes:
    return b"\x80\x02" + b"".join(parts) + b"."


def test_handwritten_programs_are_refused() -> None:
    reconstruct = b"cnumpy.core.multiarray\n_reconstruct\n"
    empty = reconstruct + b"cnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    dtype = b"cnumpy\ndtype\nX\x02\x00\x00\x00f4K\x00K\x01\x87R"
    order = b"(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    data = b"U\x04abcd"
    good = empty + b"(K\x01K\x01\x85" + dtype + order + b"\x89" + data + b"tb"
    assert loads_restricted(_raw(good)).shape == (1,)
    programs = {
        "array without data": empty,
        "too few bytes": empty + b"(K\x01K\x09\x85" + dtype + order + b"\x89" + data + b"tb",
        "negative side": empty + b"(K\x01J\xff\xff\xff\xff\x85" + dtype + order + b"\x89" + data + b"tb",
        "state of a function": reconstruct + b"}U\x01aU\x01bsb",
        "attribute of a function": reconstruct + b"N}U\x05_callU\x01bs\x86b",
        "structured state": empty + b"(K\x01K\x01\x85" + dtype + b"(K\x03X\x01\x00\x00\x00|N(U\x01atN" + b"K\x00K\x00K\x00tb",
        "other subclass": reconstruct + b"NK\x00\x85U\x01b\x87R",
        "extension registry": b"\x82\x01",
        "persistent id": b"U\x01xQ",
        "contains itself": b"]q\x00h\x00a",
        "class of a container": b"ccollections\nOrderedDict\n",
        "dotted name": b"cnumpy\nndarray.__class__\n",
    }
    for name, program in programs.items():
        with pytest.raises((RefusedPickleError, ValueError, pickle.UnpicklingError)):
            pytest.fail(f"{name}: {loads_restricted(_raw(program))!r} was accepted")


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damage_never_runs_anything_and_never_hangs(data) -> None:
    good = bytearray(pickle.dumps({"a": np.arange(4.0), "b": {"c": (1, 2)}}, 4))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(2, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        value = loads_restricted(bytes(good))
    except Exception:  # any error will do; nothing of the file may be called
        return
    assert isinstance(value, (dict, list, tuple, set, frozenset, str, bytes, int, float, bool, np.ndarray, type(None), bytearray))


def test_a_far_place_in_the_memo_does_not_take_all_the_memory() -> None:
    """LONG_BINPUT with 2 ** 31 - 1 makes CPython's unpickler allocate 32 GiB for a file of a dozen bytes."""
    bomb = b"\x80\x02}r\xff\xff\xff\x7f."
    with pytest.raises(RefusedPickleError, match="memo"):
        loads_restricted(bomb)
