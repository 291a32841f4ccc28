"""The header of an ONNX file, read without any package, against what the onnx package says."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from support.onnx_networks import write_network

from ppdet.core.errors import ModelDirError
from ppdet.inference.runtimes.onnx_header import read_onnx_header

onnx = pytest.importorskip("onnx")


def test_what_a_file_says(tmp_path: Path) -> None:
    outputs = {"dets": np.zeros((1, 100, 5), np.float32), "labels": np.zeros((1, 100), np.int64), "half": np.zeros(1, np.float16)}
    path = write_network(tmp_path / "x.onnx", outputs, (96, 64), "input", np.uint8, {"names": "{0: 'Mädchen'}", "empty": ""},
                         {"orig_target_sizes": (np.int64, [1, 2])},
                         {"input": ["batch", 3, "height", 96], "dets": ["batch", None, 5], "half": None}, "Slice")  # fmt: skip
    header = read_onnx_header(path)
    assert header.producer == "tests" and header.metadata == {"names": "{0: 'Mädchen'}", "empty": ""}
    assert [str(each) for each in header.inputs] == ["input (batch, 3, height, 96) uint8", "orig_target_sizes (1, 2) int64"]
    assert [str(each) for each in header.outputs] == [
        "dets (batch, ?, 5) float32", "labels (1, 100) int64", "half of unknown shape float16"]  # fmt: skip
    assert header.first_operations == ("Slice",) and header.input_wh is None
    assert (header.outputs[0].side(-1), header.outputs[0].side(1), header.outputs[0].side(7), header.outputs[2].rank) == (
        5, None, None, None)  # fmt: skip


def test_weights_that_old_files_list_among_the_inputs_are_none(tmp_path: Path) -> None:
    path = write_network(tmp_path / "x.onnx", {"out": np.zeros((1, 6), np.float32)}, (32, 32))
    model = onnx.load(str(path))
    weight = onnx.helper.make_tensor_value_info("zero", onnx.TensorProto.FLOAT, [1])
    model.graph.input.insert(0, weight)
    onnx.save(model, str(path))
    assert [each.name for each in read_onnx_header(path).inputs] == ["images"]


def test_files_that_are_none(tmp_path: Path) -> None:
    good = write_network(tmp_path / "good.onnx", {"out": np.zeros((1, 6), np.float32)}, (32, 32)).read_bytes()
    (tmp_path / "empty.onnx").touch()
    (tmp_path / "cut.onnx").write_bytes(good[: len(good) // 2])
    (tmp_path / "picture.onnx").write_bytes(b"\x89PNG\r\n\x1a\n" * 40)
    for name in ("empty", "cut", "picture"):
        with pytest.raises(ModelDirError, match="is no ONNX model"):
            read_onnx_header(tmp_path / f"{name}.onnx")
    with pytest.raises(ModelDirError, match="cannot read .*nowhere"):
        read_onnx_header(tmp_path / "nowhere.onnx")


@pytest.mark.parametrize("seed", range(40))
def test_damage_gives_a_message_or_a_header(tmp_path: Path, seed: int) -> None:
    path = write_network(tmp_path / "x.onnx", {"out": np.zeros((1, 6), np.float32)}, (32, 32), metadata={"names": "['person']"})
    rng = np.random.default_rng(seed)
    data = bytearray(path.read_bytes())
    for place in rng.integers(0, len(data), 5):
        data[place] = rng.integers(256)
    path.write_bytes(data)
    with contextlib.suppress(ModelDirError):
        read_onnx_header(path).describe()
