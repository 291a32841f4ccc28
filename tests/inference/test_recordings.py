"""How a pipeline divides its threads for recorded videos."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.onnx_networks import write_network
from support.planted_models import PlantedRuntime, planted_codec, pose_card

from ppdet.inference.estimators.registry import with_one_thread
from ppdet.inference.estimators.top_down import TopDownEstimator
from ppdet.inference.files.model_names import POSE, default_model
from ppdet.inference.model_opening import open_detector
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.runtimes import model_files
from ppdet.inference.runtimes.registry import load_runtime


def threads_of(pipeline: Any) -> list[str]:
    """Of the engines of detector and pose model."""
    return [model.runtime.description.split(", ")[3] for model in (pipeline.detector, pipeline.estimator)]


def test_engines_of_one_thread_for_recordings_if_workers_are_not_given() -> None:
    pipeline = PosePipeline(engine="onnxruntime")
    recorded = pipeline.for_recordings()
    assert (threads_of(pipeline), threads_of(recorded)) == (["2 threads"] * 2, ["1 thread"] * 2)
    assert recorded.workers == 2 and recorded.timer is pipeline.timer
    again = pipeline.for_recordings()
    assert again.estimator.runtime is recorded.estimator.runtime  # loaded once
    pipeline.det_threshold = 0.3
    assert pipeline.for_recordings().det_threshold == 0.3
    given = PosePipeline(engine="onnxruntime", workers=2)
    assert given.for_recordings() is given and threads_of(given) == ["2 threads"] * 2
    single = PosePipeline(engine="onnxruntime", cpu_threads=1)
    assert single.for_recordings() is single


def test_a_detector_that_leaves_out_frames_keeps_its_threads() -> None:
    assert threads_of(PosePipeline(engine="onnxruntime", preset="fast").for_recordings()) == ["2 threads", "1 thread"]
    assert threads_of(PosePipeline(engine="onnxruntime", det_interval=3, workers=2, cpu_threads=1)) == ["2 threads", "1 thread"]
    assert threads_of(PosePipeline(engine="onnxruntime", workers=2, cpu_threads=1)) == ["1 thread"] * 2


def test_a_heavy_network_keeps_its_threads_if_frames_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_files, "LIGHT_MEGABYTES", 0.5)
    fast, balanced = (PosePipeline(engine="onnxruntime", preset=preset) for preset in ("fast", "balanced"))
    assert fast.for_recordings() is fast and threads_of(balanced.for_recordings()) == ["1 thread"] * 2


def test_the_network_computes_the_same_with_one_thread() -> None:
    runtime = load_runtime(Path(default_model(POSE)), engine="onnxruntime")
    one = runtime.with_one_thread()
    assert one is not runtime and one.with_one_thread() is one
    crops = np.random.default_rng(0).normal(0, 1, (3, 3, 128, 96)).astype(np.float32)
    for expected, given in zip(*(each.run({each.input_names[0]: crops}) for each in (runtime, one))):
        np.testing.assert_allclose(given, expected, atol=1e-5)


def test_other_toolkits_models_have_a_twin_too(tmp_path: Path) -> None:
    rows = np.zeros((1, 84, 8400), np.float32)
    rows[0, :5, 0] = [320, 320, 100, 200, 0.9]
    path = write_network(tmp_path / "yolo.onnx", {"output0": rows}, (640, 640))
    detector: Any = open_detector(path, engine="onnxruntime")
    twin = with_one_thread(detector)
    assert twin.network.runtime is twin.runtime is detector.runtime.with_one_thread()
    assert detector.network.runtime is detector.runtime is not twin.runtime
    image = np.zeros((480, 640, 3), np.uint8)
    for expected, given in zip(detector.detect([image]), twin.detect([image])):
        assert len(given) == 1 and np.array_equal(given.boxes_xyxy, expected.boxes_xyxy)


def test_models_without_such_an_engine_stay() -> None:
    estimator = TopDownEstimator(PlantedRuntime(), pose_card(codec=planted_codec()))
    assert with_one_thread(estimator) is estimator
    assert with_one_thread(None) is None
