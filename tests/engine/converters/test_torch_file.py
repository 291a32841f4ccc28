"""PyTorch files are read without PyTorch, and nothing that they ask for is run."""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
from support.torch_writer import Call, Name, Persistent, write_legacy, write_zip

from ppdet.core.errors import CheckpointError
from ppdet.engine.converters.state_dict import find_state_dict
from ppdet.engine.weights.torch_file import TorchFile

FILES = Path(__file__).parent / "files"
WRITERS = pytest.mark.parametrize("write", [write_zip, write_legacy])
Writer = Callable[[Path, Any], Path]


@pytest.mark.parametrize("name", ["torch_2_zip.pth", "torch_2_legacy.pth.tar"])
def test_files_of_pytorch_itself(name: str) -> None:
    """Written by torch 2.13.0: views, shared storages, all dtypes, an optimizer and a NumPy score beside."""
    file = TorchFile(FILES / name)
    state = find_state_dict(file.content, name)
    assert (state.where, state.prefix) == ("state_dict", "")
    assert state.beside == ("epoch", "optimizer", "perf", "scheduler", "names")
    arrays = {key: file.array(tensor) for key, tensor in state.tensors.items()}
    base = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    shared = np.arange(6, dtype=np.float64)
    expected = {
        "0.weight": np.array([1, 2], np.float32).reshape(2, 1, 1, 1),
        "0.bias": np.array([3, 4], np.float32),
        "1.num_batches_tracked": np.array(1, np.int64),
        "transposed": base.transpose(2, 0, 1),
        "offset": base[1, 1:],
        "column": base[:, :, 1],
        "shared_a": shared[:4],
        "shared_b": shared[2:],
        "half": np.array([0.5, -2, 65504], np.float16),
        "int64": np.array([2**40, -1]),
        "uint8": np.array([0, 255], np.uint8),
        "bool": np.array([True, False]),
        "scalar": np.array(2.5, np.float32),
        "empty": np.zeros((0, 3), np.float32),
        "expanded": np.full((3, 2), 7, np.float32),
        "parameter": np.array([1, -1], np.float32),
    }
    for key, value in expected.items():
        if key.startswith("0."):  # an optimizer's step was taken after the copy
            assert arrays[key].shape == value.shape
            assert np.abs(arrays[key] - value).max() < 2e-3
            continue
        assert arrays[key].dtype == value.dtype, key
        np.testing.assert_array_equal(arrays[key], value, err_msg=key)
        assert arrays[key].flags.c_contiguous and arrays[key].flags.writeable
    np.testing.assert_allclose(arrays["bfloat16"], [0.5, -2, 3.0e38], rtol=2**-8)
    assert arrays["bfloat16"].dtype == np.float32


@WRITERS
def test_our_writer_of_test_files(write: Writer, tmp_path: Path) -> None:
    """What the other tests stand on."""
    value = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.asarray(4, np.int64)}
    file = TorchFile(write(tmp_path / "w.pth", value))
    np.testing.assert_array_equal(file.array(file.content["a"]), value["a"])
    assert file.array(file.content["b"]) == 4


@pytest.mark.parametrize("wrap", ["state_dict", "model", "ema", "best_state_dict"])
@pytest.mark.parametrize("prefix", ["", "module.", "module.model.", "module.1."])
def test_wrapped_weights_are_found(wrap: str, prefix: str, tmp_path: Path) -> None:
    value = {"epoch": 1, wrap: {f"{prefix}a.weight": np.ones(1, np.float32), f"{prefix}b.bias": np.ones(1, np.float32)}}
    state = find_state_dict(TorchFile(write_zip(tmp_path / "w.pth", value)).content, "w.pth")
    assert list(state.tensors) == ["a.weight", "b.bias"]
    assert (state.where, state.prefix, state.beside) == (wrap, prefix, ("epoch",))


def test_averaged_weights_go_first_unless_told(tmp_path: Path) -> None:
    one = np.ones(1, np.float32)
    content = TorchFile(write_zip(tmp_path / "w.pth", {"model": {"a": one}, "ema": {"a": one}})).content
    assert find_state_dict(content, "w").where == "ema"
    assert find_state_dict(content, "w").beside == ("model",)
    assert find_state_dict(content, "w", "model").where == "model"
    with pytest.raises(CheckpointError, match="no 'nets'; it has model, ema"):
        find_state_dict(content, "w", "nets")


# ---------------------------------------------------------------- attacks


class _Canary:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@WRITERS
@pytest.mark.parametrize("module", ["os", "posix", "builtins", "torch.hub", "numpy.testing._private.utils"])
def test_a_call_is_refused_by_name_and_not_run(module: str, write: Writer, tmp_path: Path) -> None:
    function = {"builtins": "eval", "torch.hub": "load", "numpy.testing._private.utils": "runstring"}.get(module, "mkdir")
    attack = Call(Name(module, function), str(tmp_path / "owned"))
    path = write(tmp_path / "w.pth", {"state_dict": {"a": np.ones(1, np.float32), "b": attack}})
    with pytest.raises(CheckpointError, match=f"asks for {module}.{function}.*Nothing of the file was executed"):
        TorchFile(path)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_plain_pickle_attack_is_refused(protocol: int, tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    path.write_bytes(pickle.dumps(_Canary(tmp_path / "owned"), protocol=protocol))
    with pytest.raises(CheckpointError, match="mkdir"):
        TorchFile(path)
    assert not (tmp_path / "owned").exists()


_REBUILD = Name("torch._utils", "_rebuild_tensor_v2")
_STORAGE = Persistent(("storage", Name("torch", "FloatStorage"), "0", "cpu", 2))
_BAD = {
    "beyond": Call(_REBUILD, _STORAGE, 1, (2,), (1,), False, {}),
    "far stride": Call(_REBUILD, _STORAGE, 0, (2, 1), (1 << 40, 1), False, {}),
    "negative offset": Call(_REBUILD, _STORAGE, -1, (1,), (1,), False, {}),
    "negative stride": Call(_REBUILD, _STORAGE, 1, (2,), (-1,), False, {}),
    "huge repeat": Call(_REBUILD, _STORAGE, 0, (1 << 20, 1 << 20), (0, 0), False, {}),
    "ranks differ": Call(_REBUILD, _STORAGE, 0, (1,), (1, 1), False, {}),
    "no storage": Call(_REBUILD, "storage", 0, (1,), (1,), False, {}),
    "text for a shape": Call(_REBUILD, _STORAGE, 0, ("1",), (1,), False, {}),
    "state set": Call(_REBUILD, _STORAGE, 0, (2,), (1,), False, {}, state={"offset": 99}),
    "a name's state": Call(Name("torch", "Size"), [1], state={"x": 1}),
    "module": Persistent(("module", Name("torch", "FloatStorage"), "a.py", "code")),
    "other id": Persistent("file:///etc/passwd"),
    "path for a key": Call(_REBUILD, Persistent(("storage", Name("torch", "FloatStorage"), "../x", "cpu", 2)), 0, (2,), (1,)),
    "more than there is": Call(_REBUILD, Persistent(("storage", Name("torch", "FloatStorage"), "0", "cpu", 3)), 0, (3,), (1,)),
}


@pytest.mark.parametrize("what", _BAD)
def test_tensors_that_pytorch_does_not_write(what: str, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "w.pth", {"good": np.ones(2, np.float32), "bad": _BAD[what]})
    with pytest.raises(CheckpointError):
        file = TorchFile(path)
        file.array(file.content["bad"])


def test_a_number_does_not_ask_for_all_the_memory(tmp_path: Path) -> None:
    """LONG_BINPUT to place 2**31 of the memo would allocate it up to there."""
    path = tmp_path / "w.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}r" + (1 << 31).to_bytes(4, "little") + b".")
    with pytest.raises(CheckpointError, match="place 2147483648 of a memo"):
        TorchFile(path)


@pytest.mark.parametrize("name", ["data.pkl", "torch_2_zip.pth", "torch_2_legacy.pth.tar"])
def test_damaged_bytes_are_read_or_refused(name: str, tmp_path: Path) -> None:
    """300 files with one to five wrong bytes: never another error than ours."""
    rng = np.random.default_rng(0)
    path = tmp_path / "w.pth"
    with zipfile.ZipFile(FILES / "torch_2_zip.pth") as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    whole = members["torch_2_zip/data.pkl"] if name == "data.pkl" else (FILES / name).read_bytes()
    refused = 0
    for _ in range(300):
        damaged = np.frombuffer(whole, np.uint8).copy()
        damaged[rng.integers(len(whole), size=rng.integers(1, 6))] = rng.integers(256)
        path.write_bytes(damaged.tobytes())
        if name == "data.pkl":  # with a checksum that fits
            with zipfile.ZipFile(path, "w") as archive:
                for member, data in members.items():
                    archive.writestr(member, damaged.tobytes() if member.endswith("data.pkl") else data)
        try:
            file = TorchFile(path)
            for tensor in find_state_dict(file.content, "w").tensors.values():
                file.array(tensor)
        except CheckpointError:
            refused += 1
    assert refused > 100


def test_a_compressed_member_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "w.pth", {"a": np.zeros(1000, np.float32)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match="compressed"):
        TorchFile(path)


# ---------------------------------------------------------------- other files


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("whole_model.pth", "asks for torch.nn.modules.container.Sequential.*state_dict"),
        ("torch_script.pt", "TorchScript"),
    ],
)
def test_pytorch_files_that_are_no_weights(name: str, says: str) -> None:
    with pytest.raises(CheckpointError, match=says):
        TorchFile(FILES / name)


def test_a_list_is_no_state_dict() -> None:
    with pytest.raises(CheckpointError, match="list.pth holds a list, not a state dict"):
        find_state_dict(TorchFile(FILES / "list.pth").content, "list.pth")


@pytest.mark.parametrize("write", [write_zip, write_legacy])
def test_source_code_in_a_file_is_refused(write: Writer, tmp_path: Path) -> None:
    """Old PyTorch saved the code of whole models beside them."""
    model = Call(Name("collections", "OrderedDict"), [Persistent(("module", Name("torch", "Size"), "net.py", "code"))])
    with pytest.raises(CheckpointError, match="source code of a model"):
        TorchFile(write(tmp_path / "w.pth", model))


@pytest.mark.parametrize("content", [{"epoch": 3}, {}, {"state_dict": {}}, {"a": np.ones(1, np.float32), "b": "text"}])
def test_dicts_that_are_no_state_dicts(content: dict, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no weights|not a state dict"):
        find_state_dict(TorchFile(write_zip(tmp_path / "w.pth", content)).content, "w.pth")


@pytest.mark.parametrize("name", ["torch_2_zip.pth", "torch_2_legacy.pth.tar"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9, 0.999])
def test_truncated_files(name: str, share: float, tmp_path: Path) -> None:
    whole = (FILES / name).read_bytes()
    path = tmp_path / "cut.pth"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(CheckpointError, match="damaged|not written by torch.save"):
        file = TorchFile(path)
        for tensor in find_state_dict(file.content, "cut").tensors.values():
            file.array(tensor)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\x1f\x8b\x08rest", "gzip"),
        (b"\x89HDF\r\n\x1a\nrest", "HDF5"),
        (b"\0" * 257 + b"ustar" + b"\0" * 250, "tar archive"),
        (pickle.dumps({"a": 1}, protocol=2), "not one of torch.save"),
        (b"weights", "damaged"),
        (bytes(range(0x80, 0xC0)), "damaged"),
    ],
)
def test_other_files(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=says):
        TorchFile(path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no weight file"):
        TorchFile(tmp_path / "w.pth")
