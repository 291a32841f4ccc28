"""Engines: the same numbers from each, the best one chosen aloud, and plain words when something is missing."""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path

import numpy as np
import pytest
from support.planted_models import INPUT_WH, planted_codec, pose_card, write_detector, write_pose_model

from ppdet.core.errors import ConfigError, ModelDirError
from ppdet.inference.estimators.detector import BoxDetector
from ppdet.inference.estimators.top_down import TopDownEstimator
from ppdet.inference.model_card import ModelCard
from ppdet.inference.runtimes import base, load_runtime, registry

for package in ("onnx", "onnxruntime", "openvino"):
    pytest.importorskip(package)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_pose_model(tmp_path / "pose")


def batch(count: int) -> np.ndarray:
    return np.random.default_rng(0).random((count, 3, INPUT_WH[1], INPUT_WH[0]), np.float32)


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_each_engine_gives_the_right_numbers_at_any_batch(model: Path, engine: str) -> None:
    runtime = load_runtime(model, engine=engine, cpu_threads=1)
    assert runtime.input_names == ["image"] and runtime.fixed_batch is None and runtime.precision == "fp32"
    first = runtime.run({"image": batch(1)})[0]
    for count in (3, 2):
        outputs = runtime.run({"image": batch(count)})
        np.testing.assert_allclose(outputs[0], batch(count)[:, :, ::4, ::4], atol=1e-6)
    np.testing.assert_allclose(first, batch(1)[:, :, ::4, ::4], atol=1e-6)  # earlier outputs are not overwritten
    assert "1 thread," in runtime.description and "model.onnx" in runtime.description


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_a_fixed_batch_is_known(tmp_path: Path, engine: str) -> None:
    assert load_runtime(write_pose_model(tmp_path, batch=2), engine=engine).fixed_batch == 2


def test_auto_takes_the_fastest_and_says_why_not_the_others(
    model: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(registry, "_logged", set())
    with caplog.at_level(logging.INFO, "ppdet"):
        assert load_runtime(model).engine == "onnxruntime"
        load_runtime(model, precision="bf16")
        assert load_runtime(model, precision="bf16").engine == "openvino"
        monkeypatch.setattr(base, "find_spec", lambda name: None if name == "onnxruntime" else importlib.util.find_spec(name))
        assert load_runtime(model).engine == "openvino"
    lines = [record.message for record in caplog.records if "int8, not bf16" in record.message]
    # once, and short
    assert lines == ["engines passed over: onnxruntime (ONNX Runtime runs this model in fp32, fp16, int8, not bf16)"]
    assert "engines passed over: onnxruntime (not installed)" in caplog.text
    assert "pose runs on ONNX Runtime" in caplog.text and "pose runs on OpenVINO" in caplog.text


def test_auto_with_nothing_that_fits_gives_every_reason(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "find_spec", lambda name: None)
    with pytest.raises(ModelDirError, match="onnxruntime: not installed\n  openvino: not installed\n  paddle: not installed"):
        load_runtime(model)


def test_an_engine_that_is_not_installed_is_reported(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "find_spec", lambda name: None)
    with pytest.raises(ModelDirError, match="'openvino' is not installed"):
        load_runtime(model, engine="openvino")


@pytest.mark.parametrize("engine", ["auto", "onnxruntime", "openvino"])
def test_a_device_that_is_not_there_is_refused(model: Path, engine: str) -> None:
    with pytest.raises(ModelDirError, match="--device cpu"):
        load_runtime(model, engine=engine, device="xpu")


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_without_onnx_the_command_that_makes_it_is_given(tmp_path: Path, engine: str) -> None:
    (tmp_path / "model.json").write_text("{}")
    (tmp_path / "model.pdiparams").write_bytes(b"x")
    with pytest.raises(ModelDirError, match="paddle2onnx --model_dir .* --save_file .*model.onnx"):
        load_runtime(tmp_path, engine=engine)


def test_half_directories_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelDirError, match="holds no network"):
        load_runtime(tmp_path)
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(ModelDirError, match="no weights beside it .expected model.pdiparams"):
        load_runtime(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"")
    with pytest.raises(ModelDirError, match="model.onnx is empty"):
        load_runtime(tmp_path)


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_a_damaged_network_is_named(tmp_path: Path, engine: str) -> None:
    (tmp_path / "model.onnx").write_bytes(b"not a network at all")
    with pytest.raises(ModelDirError, match="cannot load .*model.onnx"):
        load_runtime(tmp_path, engine=engine)


def test_precision_is_a_choice_that_is_shown(model: Path) -> None:
    with pytest.raises(ModelDirError, match="use --engine openvino for bf16"):
        load_runtime(model, engine="onnxruntime", precision="bf16")
    runtime = load_runtime(model, engine="openvino", precision="bf16")
    assert runtime.precision in ("bf16", "fp32")  # a processor without bfloat16 keeps to float32, and says so
    assert runtime.precision in runtime.description


def test_wrong_inputs_and_options_are_refused(model: Path) -> None:
    with pytest.raises(ModelDirError, match="expects the inputs"):
        load_runtime(model, engine="onnxruntime").run({"x": batch(1)})
    for options in ({"cpu_threads": 0}, {"precision": "int3"}, {"run_mode": "fast"}, {"run_mode": "trt_fp16"}):
        with pytest.raises(ConfigError):
            load_runtime(model, **options)
    with pytest.raises(ModelDirError, match="engine 'tflite' is unknown"):
        load_runtime(model, engine="tflite")


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_sizes_that_the_network_does_not_take(model: Path, tmp_path: Path, engine: str) -> None:
    """A card edited by hand, or copied beside another network."""
    runtime = load_runtime(model, engine=engine)
    words = r"pose: the network does not take.*image 1 x 3 x 32 x 32; the network takes image .*64 x 48.*trainsize"
    with pytest.raises(ModelDirError, match=words):
        runtime.run({"image": np.zeros((1, 3, 32, 32), np.float32)})
    detector = BoxDetector(load_runtime(write_detector(tmp_path / "det"), engine=engine), ModelCard.load(tmp_path / "det"))
    detector.card.preprocess[0]["target_size"] = [96, 96]
    with pytest.raises(ModelDirError, match="det: .*1 x 3 x 96 x 96.*the network takes image 1 x 3 x 64 x 64"):
        BoxDetector(detector.runtime, detector.card).detect([np.zeros((50, 50, 3), np.uint8)])
    card = pose_card(codec=planted_codec(input_wh=(96, 128), heatmap_wh=(24, 32)))
    with pytest.raises(ModelDirError, match="pose: the network does not take"):
        TopDownEstimator(runtime, card)
    runtime.input_shapes = {}
    with pytest.raises(ModelDirError, match=rf"pose: the network fails on .*{engine} says: "):  # the engine's own check
        runtime.run({"image": np.zeros((1, 4, 64, 48), np.float32)})
