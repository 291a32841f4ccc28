"""Paddle Inference on a Paddle 3 program."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ppdet.core.errors import ModelDirError
from ppdet.inference.runtimes import load_runtime, registry

paddle = pytest.importorskip("paddle")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("paddle")
    layer = paddle.nn.Conv2D(3, 2, 1, stride=4)
    layer.eval()
    spec = [paddle.static.InputSpec([None, 3, 64, 48], "float32", "image")]
    paddle.jit.save(paddle.jit.to_static(layer, input_spec=spec), str(folder / "model"))
    image = np.random.default_rng(0).random((3, 3, 64, 48), np.float32)
    np.savez(folder / "expected.npz", image=image, heatmap=layer(paddle.to_tensor(image)).numpy())
    return folder


def test_the_program_gives_the_layers_numbers(model: Path) -> None:
    expected = np.load(model / "expected.npz")
    runtime = load_runtime(model, engine="paddle", cpu_threads=1)
    assert runtime.input_names == ["image"]
    for rows in (slice(0, 3), slice(0, 1)):
        (heatmap,) = runtime.run({"image": expected["image"][rows]})
        np.testing.assert_allclose(heatmap, expected["heatmap"][rows], atol=1e-5)
    assert "Paddle Inference" in runtime.description and "fp32" in runtime.description


def test_auto_falls_back_to_paddle_and_gives_the_reasons(
    model: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(registry, "_logged", set())
    with caplog.at_level("INFO", "ppdet"):
        assert load_runtime(model).engine == load_runtime(model).engine == "paddle"
    lines = [record.message for record in caplog.records if "passed over" in record.message]
    assert len(lines) == 1 and "onnxruntime (" in lines[0] and "openvino (" in lines[0]
    assert ("ppdet export --onnx" in lines[0]) == ("needs model.onnx" in lines[0])


def test_a_wrong_size_is_reported(model: Path) -> None:
    with pytest.raises(ModelDirError, match="fails on the input .* image 1 x 4 x 64 x 48.*paddle says"):
        load_runtime(model, engine="paddle").run({"image": np.zeros((1, 4, 64, 48), np.float32)})


def test_what_this_paddle_cannot_do_is_reported(model: Path) -> None:
    with pytest.raises(ModelDirError, match="add --enable_mkldnn"):
        load_runtime(model, engine="paddle", precision="bf16")
    if not paddle.is_compiled_with_cuda():
        with pytest.raises(ModelDirError, match="--device gpu: Paddle"):
            load_runtime(model, engine="paddle", device="gpu")
    with pytest.raises(ModelDirError, match="--device npu"):
        load_runtime(model, engine="paddle", device="NPU")


def test_a_damaged_program_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text("{}")
    (tmp_path / "model.pdiparams").write_bytes(b"rubbish")
    with pytest.raises(ModelDirError, match="cannot load .*model.json"):
        load_runtime(tmp_path, engine="paddle")


class _AlignedResize(paddle.nn.Layer):
    """What PaddleDetection's exports of TinyPose hold: bilinear resizing with aligned corners."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = paddle.nn.Conv2D(3, 2, 3, stride=8, padding=1)

    def forward(self, image: paddle.Tensor) -> paddle.Tensor:
        small = self.conv(image)
        return paddle.nn.functional.interpolate(small, size=[16, 12], mode="bilinear", align_corners=True)


@pytest.mark.parametrize("onednn", [False, True])
def test_onednn_never_gives_other_heatmaps(tmp_path: Path, onednn: bool) -> None:
    layer = _AlignedResize()
    layer.eval()
    spec = [paddle.static.InputSpec([None, 3, 64, 48], "float32", "image")]
    paddle.jit.save(paddle.jit.to_static(layer, input_spec=spec), str(tmp_path / "model"))
    image = np.random.default_rng(1).normal(0, 1, (2, 3, 64, 48)).astype(np.float32)
    runtime = load_runtime(tmp_path, engine="paddle", enable_mkldnn=onednn)
    (heatmap,) = runtime.run({"image": image})
    np.testing.assert_allclose(heatmap, layer(paddle.to_tensor(image)).numpy(), atol=1e-4)
