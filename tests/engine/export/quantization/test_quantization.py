"""8 bits: which nodes, how close, what stays float, and the gate."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ppdet.core.errors import ExportError
from ppdet.engine.export.parity import EngineResult
from ppdet.engine.export.quantization import quantizer
from ppdet.engine.export.quantization.static import depthwise_nodes, heavy_nodes, quantize_file, sensitivities

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")
pytest.importorskip("ml_dtypes")
RNG = np.random.default_rng(0)


def network(path: Path, spread: float = 1.0) -> Path:
    """Three convolutions; the channels of the second one's input differ in range by `spread`."""
    shapes = {"a": (8, 3, 3, 3), "b": (8, 8, 1, 1), "c": (4, 8, 1, 1)}
    weights = {name: RNG.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()}
    weights["a"][0] *= spread
    chain = [("a", "image", "x"), ("b", "r", "y"), ("c", "y", "heatmap")]
    nodes = [onnx.helper.make_node("Conv", [given, name], [made], name=f"conv_{name}",
                                   pads=[shapes[name][2] // 2] * 4) for name, given, made in chain]  # fmt: skip
    nodes.insert(1, onnx.helper.make_node("Relu", ["x"], ["r"], name="relu"))
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes, "net", [value("image", onnx.TensorProto.FLOAT, ["batch", 3, 8, 6])],
        [value("heatmap", onnx.TensorProto.FLOAT, ["batch", 4, 8, 6])],
        [onnx.numpy_helper.from_array(each, name) for name, each in weights.items()],
    )  # fmt: skip
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8), str(path))
    return path


def feeds(count: int = 4) -> list[dict[str, np.ndarray]]:
    return [{"image": RNG.normal(0, 1, (2, 3, 8, 6)).astype(np.float32)} for _ in range(count)]


def output(path: Path, feed: dict[str, np.ndarray]) -> np.ndarray:
    return ort.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, feed)[0]


def test_the_8_bit_graph_is_close_and_its_weights_are_per_channel(tmp_path: Path) -> None:
    source, target, given = network(tmp_path / "f.onnx"), tmp_path / "q.onnx", feeds()
    assert quantize_file(source, target, given) == 3
    model = onnx.load(str(target))
    scales = {each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer}
    assert scales["a_scale"].shape == (8,) and scales["c_scale"].shape == (4,)
    float_map, int_map = output(source, given[0]), output(target, given[0])
    assert 0 < np.abs(float_map - int_map).max() < 0.1 * np.abs(float_map).max()


def test_nodes_that_stay_float(tmp_path: Path) -> None:
    source, target = network(tmp_path / "f.onnx"), tmp_path / "q.onnx"
    assert quantize_file(source, target, feeds(), ["conv_b"]) == 2
    names = {each.name for each in onnx.load(str(target)).graph.initializer}
    assert "b" in names and "a_quantized" in names


def test_a_node_with_channels_of_very_different_ranges_is_the_most_sensitive(tmp_path: Path) -> None:
    source = network(tmp_path / "f.onnx", spread=200.0)
    found = sensitivities(source, feeds(2))
    assert found.keys() == {node.name for node in heavy_nodes(source)} == {"conv_a", "conv_b", "conv_c"}
    assert max(found, key=lambda name: found[name]) in ("conv_b", "conv_c") and min(found.values()) > 0


def test_depthwise_convolutions_are_told_apart(tmp_path: Path) -> None:
    path = network(tmp_path / "f.onnx")
    model = onnx.load(str(path))
    assert depthwise_nodes(path) == []
    model.graph.node[2].attribute.append(onnx.helper.make_attribute("group", 8))
    next(each for each in model.graph.initializer if each.name == "b").CopyFrom(
        onnx.numpy_helper.from_array(np.ones((8, 1, 1, 1), np.float32), "b"))  # fmt: skip
    onnx.save(model, str(path))
    assert depthwise_nodes(path) == ["conv_b"]


class FakeReference:
    """Says of each trial in turn whether it is close enough."""

    task = SimpleNamespace()

    def __init__(self, *likeness: float) -> None:
        self.likeness = list(likeness)

    def compare(self, *_: Any) -> EngineResult:
        row = EngineResult("onnxruntime", "ok", precision="int8", compared=10, max_output=0.1, oks=self.likeness.pop(0))
        row.judge()
        return row


def quantized(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *likeness: float) -> tuple[list[int], quantizer.Quantizer]:
    source, given, counts = network(tmp_path / "f.onnx"), feeds(), []
    made = quantizer.Quantizer(None, FakeReference(*likeness))  # type: ignore[arg-type]
    monkeypatch.setattr(made, "_fed", lambda _: given)

    def counting(*arguments: Any) -> int:
        counts.append(quantize_file(*arguments))
        return counts[-1]

    monkeypatch.setattr(quantizer, "quantize_file", counting)
    try:
        made.quantize(source, tmp_path / "q.onnx")
    except ExportError as error:
        made.refusal = str(error)  # type: ignore[attr-defined]
    return counts, made


def test_layers_stay_float_until_the_gate_is_passed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts, made = quantized(tmp_path, monkeypatch, 0.9, 0.949, 0.96)
    assert counts == [3, 2] + [1] * (len(counts) - 2) and not hasattr(made, "refusal")
    assert " layers in 8 bits" in made.gain and "MB" in made.gain


def test_a_network_that_8_bits_break_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts, made = quantized(tmp_path, monkeypatch, *[0.5] * 9)
    assert counts[-1] == 1 and "even with half of its layers" in made.refusal and "--calibration" in made.refusal
