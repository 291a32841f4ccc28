"""A few bytes that ask for all the memory or all the time: refused, at once."""

from __future__ import annotations

import pickle
import struct
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from support.shared_data import shared
from support.torch_writer import write_zip

from ppdet.core.errors import CheckpointError
from ppdet.engine.training.state import TrainingState
from ppdet.engine.weights.checkpoint import load_pdparams
from ppdet.engine.weights.torch_file import TorchFile
from ppdet.engine.weights.torch_tensor import TorchTensor


def doubled(levels: int, kind: bytes) -> bytes:
    """A container of twice the same container, `levels` times over, then used as the pickle asks."""
    body = b")"
    for place in range(levels):
        put, get = b"q" + bytes([place]), b"h" + bytes([place])
        body += put + (b"0(" + get + get + kind)
    return body


BOMBS = {
    "tuples": b"\x80\x02}X\x01\x00\x00\x00a" + doubled(40, b"t") + b"s.",
    "lists": b"\x80\x02}X\x01\x00\x00\x00a" + doubled(40, b"l") + b"s.",
    "a tuple as key": b"\x80\x02}" + doubled(40, b"t") + b"Ns.",
    "frozen sets": b"\x80\x04}" + doubled(40, b"\x91") + b"Ns.",
    "deep": b"\x80\x02}X\x01\x00\x00\x00a" + b"]" * 20_000 + b"a" * 19_999 + b"s.",
    "a long string": b"\x80\x04}\x8e" + struct.pack("<Q", 1 << 36) + b"s.",
    "long integers": b"\x80\x02}\x8b" + struct.pack("<i", (1 << 31) - 1) + b"s.",
    "a far place of the memo": b"\x80\x02}r" + struct.pack("<I", (1 << 32) - 1) + b".",
    "a far place as text": b"\x80\x02}p4000000000\n.",
    "a frame": b"\x80\x04\x95" + struct.pack("<Q", 1 << 40) + b"}.",
    "outer before inner": b"\x80\x02" + b"".join(b"]q" + bytes([n]) + b"0" for n in range(40))
    + b"".join(b"h" + bytes([n]) + b"(h" + bytes([n + 1]) + b"h" + bytes([n + 1]) + b"e0" for n in range(39)) + b"h\x00.",
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("suffix", ["pdparams", "pdstates", "pth"])
def test_bombs_are_refused_quickly_and_in_little_memory(tmp_path, name, suffix):
    path = tmp_path / f"bomb.{suffix}"
    path.write_bytes(BOMBS[name])
    read = {"pdparams": load_pdparams, "pdstates": TrainingState.load, "pth": TorchFile}[suffix]
    tracemalloc.start()
    started = time.perf_counter()
    try:
        with pytest.raises(CheckpointError):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 26
    finally:
        tracemalloc.stop()
    assert time.perf_counter() - started < 20


def test_shared_objects_stay_one_object(tmp_path):
    """Paddle shares dtypes and small arrays between entries; that is no bomb."""
    array = np.arange(6, dtype=np.float32)
    (tmp_path / "shared.pdparams").write_bytes(pickle.dumps({f"layer{n}": array for n in range(2000)}))
    weights = load_pdparams(tmp_path / "shared.pdparams")
    assert len(weights) == 2000 and weights["layer0"] is weights["layer1999"]


def test_a_thousand_views_of_a_storage_do_not_fill_the_memory(tmp_path):
    file = TorchFile(write_zip(tmp_path / "views.pth", {"a": np.zeros(1 << 20, np.float32)}))
    whole = file.content["a"]
    with pytest.raises(CheckpointError, match="repeat their numbers"):
        for _ in range(200):
            file.array(TorchTensor(whole.storage, 0, whole.shape, whole.strides))


BAD_VALUES = [("step", "x"), ("epoch", None), ("batch", -1), ("metric_name", 3), ("best_value", "a"), ("scaler", [])]


@pytest.mark.parametrize("key, value", BAD_VALUES)
def test_a_state_of_the_wrong_kind_is_damaged(tmp_path, key, value):
    TrainingState(epoch=2, step=7).save(tmp_path / "1.pdstates")
    content = pickle.loads((tmp_path / "1.pdstates").read_bytes())
    assert TrainingState.load(tmp_path / "1.pdstates").step == 7
    (tmp_path / "1.pdstates").write_bytes(pickle.dumps({**content, key: value}))
    with pytest.raises(CheckpointError, match=f"its {key} is"):
        TrainingState.load(tmp_path / "1.pdstates")
    content.pop(key)
    (tmp_path / "1.pdstates").write_bytes(pickle.dumps(content))
    if key != "best_value":  # None there means that nothing was evaluated
        with pytest.raises(CheckpointError, match="damaged"):
            TrainingState.load(tmp_path / "1.pdstates")


def test_the_hostile_files_end_in_a_message():
    for path in sorted(Path(shared("cases", "hostile", "pickle")).iterdir()):
        read = {".pdparams": load_pdparams, ".pdstates": TrainingState.load, ".pth": TorchFile}[path.suffix]
        try:
            read(path)
        except CheckpointError as error:
            assert path.name in str(error)
