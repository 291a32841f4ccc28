"""Weights in 16 bits: half the file, results within the rounding of the weights."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from ppdet.core.errors import ExportError
from ppdet.engine.export.half_weights import store_weights_as_float16
from ppdet.engine.export.rewriting.channel_routes import route_channels
from ppdet.engine.export.rewriting.convolutions import fold_batch_norms
from ppdet.engine.export.targets.job import ExportJob


def _file(folder: Path, weight: np.ndarray, as_node: bool = False) -> Path:
    """y = x W + b, with a bias too short to be worth halving; W as an initializer or, as paddle2onnx has it, a Constant node."""
    bias = np.array([0.1234567, 7.0], np.float32)
    tensor = numpy_helper.from_array(weight, "w")
    graph = helper.make_graph(
        [helper.make_node("Constant", [], ["w"], value=tensor)] * as_node
        + [helper.make_node("MatMul", ["x", "w"], ["xw"]), helper.make_node("Add", ["xw", "b"], ["y"])],
        "line",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", len(weight)])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 2])],
        [tensor] * (not as_node) + [numpy_helper.from_array(bias, "b")],
    )
    path = folder / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(path))
    return path


def _run(path: Path, x: np.ndarray) -> np.ndarray:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]


@pytest.mark.parametrize("as_node", [False, True])
def test_half_the_size_and_the_results_of_rounded_weights(tmp_path: Path, as_node: bool) -> None:
    rng = np.random.default_rng(0)
    weight, x = rng.normal(size=(4000, 2)).astype(np.float32), rng.normal(size=(3, 4000)).astype(np.float32)
    path = _file(tmp_path, weight, as_node)
    size = path.stat().st_size
    assert store_weights_as_float16(path) == 1
    assert path.stat().st_size < 0.52 * size
    expected = x @ weight.astype(np.float16).astype(np.float32) + np.array([0.1234567, 7.0], np.float32)
    np.testing.assert_allclose(_run(path, x), expected, atol=1e-3)


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    path = _file(tmp_path, np.ones((40, 2), np.float32))
    store_weights_as_float16(path)
    before = path.read_bytes()
    assert store_weights_as_float16(path) == 0
    assert path.read_bytes() == before


@pytest.mark.parametrize("value", [1e5, np.inf, np.nan])
def test_what_float16_cannot_hold_is_refused_and_the_file_stays(tmp_path: Path, value: float) -> None:
    path = _file(tmp_path, np.full((40, 2), value, np.float32))
    before = path.read_bytes()
    with pytest.raises(ExportError, match="w holds .*float16 ends at 65504"):
        store_weights_as_float16(path)
    assert path.read_bytes() == before


def test_rewriting_leaves_rounded_weights_as_they_are(tmp_path: Path) -> None:
    """A batch norm folded into a rounded convolution would give weights that are rounded a second time."""
    job = ExportJob(form=SimpleNamespace(), folder=tmp_path, work=tmp_path, half_weights=True)
    assert fold_batch_norms in job._left_out(True) and route_channels not in job._left_out(True)
    assert fold_batch_norms not in ExportJob(form=SimpleNamespace(), folder=tmp_path, work=tmp_path)._left_out(False)
