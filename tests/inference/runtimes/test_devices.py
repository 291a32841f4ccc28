"""What engines are told for a device, without one: the settings for GPUs and other accelerators, and who refuses them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ppdet.core.errors import ModelDirError
from ppdet.inference.runtimes.base import RuntimeOptions
from ppdet.inference.runtimes.model_files import find_model_files, network_megabytes
from ppdet.inference.runtimes.onnxruntime import _providers
from ppdet.inference.runtimes.paddle import place_on_device

CUDA, TENSORRT, CPU = "CUDAExecutionProvider", "TensorrtExecutionProvider", "CPUExecutionProvider"


class Config:
    """Stands for Paddle Inference's config, and writes down what it is told."""

    def __init__(self) -> None:
        self.calls: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return lambda *words, **more: self.calls.__setitem__(name, more or words)


def paddle(gpus: int = 0, xpu: bool = False, others: tuple[str, ...] = ()) -> Any:
    """Stands for the module Paddle of a build with these devices."""
    return SimpleNamespace(
        __version__="3.9", is_compiled_with_cuda=lambda: gpus > 0, is_compiled_with_xpu=lambda: xpu,
        device=SimpleNamespace(cuda=SimpleNamespace(device_count=lambda: gpus), get_all_custom_device_type=lambda: list(others)),
    )  # fmt: skip


INFERENCE = SimpleNamespace(PrecisionType=SimpleNamespace(Float32="f32", Half="f16", Int8="i8"))


def placed(build: Any, **options: Any) -> dict[str, Any]:
    config = Config()
    place_on_device(config, RuntimeOptions(**options), build, INFERENCE)
    return config.calls


def test_paddle_on_a_cpu() -> None:
    assert placed(paddle(), cpu_threads=3) == {"disable_gpu": (), "set_cpu_math_library_num_threads": (3,), "disable_mkldnn": ()}
    calls = placed(paddle(), enable_mkldnn=True, precision="bf16")
    assert {"enable_mkldnn", "enable_mkldnn_bfloat16"} <= set(calls) and "disable_mkldnn" not in calls


def test_paddle_on_a_gpu() -> None:
    assert set(placed(paddle(gpus=1), device="gpu")) == {"enable_use_gpu"}
    with pytest.raises(ModelDirError, match="--device gpu: Paddle 3.9 here has no CUDA"):
        placed(paddle(), device="gpu")


@pytest.mark.parametrize(("mode", "precision"), [("trt_fp32", "f32"), ("trt_fp16", "f16"), ("trt_int8", "i8")])
def test_paddle_with_tensorrt(mode: str, precision: str) -> None:
    calls = placed(paddle(gpus=1), device="gpu", run_mode=mode, batch_size=4, trt_calib_mode=True)
    told = calls["enable_tensorrt_engine"]
    assert (told["precision_mode"], told["max_batch_size"], told["use_calib_mode"]) == (precision, 4, True)
    assert "set_trt_dynamic_shape_info" not in calls
    calls = placed(paddle(gpus=1), device="gpu", run_mode=mode, dynamic_shape=True, trt_shape_range=(32, 320, 640))
    smallest, largest, optimum = calls["set_trt_dynamic_shape_info"]  # the order of Paddle's arguments
    assert [shapes["image"] for shapes in (smallest, largest, optimum)] == [[1, 3, side, side] for side in (32, 640, 320)]


def test_paddle_on_other_devices() -> None:
    assert set(placed(paddle(xpu=True), device="xpu")) == {"enable_xpu"}
    assert placed(paddle(others=("npu",)), device="npu") == {"enable_custom_device": ("npu",)}
    for device in ("xpu", "npu"):
        with pytest.raises(ModelDirError, match=f"--device {device}: Paddle 3.9 here is not built for it; use --device cpu"):
            placed(paddle(gpus=1), device=device)


def test_providers_of_onnx_runtime() -> None:
    everything = [TENSORRT, CUDA, CPU]
    assert _providers([CPU], RuntimeOptions()) == [CPU]
    assert _providers(everything, RuntimeOptions(device="gpu")) == [CUDA, CPU]
    for mode, half in (("trt_fp32", False), ("trt_fp16", True)):
        assert _providers(everything, RuntimeOptions(device="gpu", run_mode=mode)) == [(TENSORRT, {"trt_fp16_enable": half}), CPU]
    with pytest.raises(ModelDirError, match=f"has no {CUDA} .it has {CPU}.: install onnxruntime-gpu"):
        _providers([CPU], RuntimeOptions(device="gpu"))
    with pytest.raises(ModelDirError, match=f"has no {TENSORRT}"):
        _providers([CUDA, CPU], RuntimeOptions(device="gpu", run_mode="trt_fp16"))
    with pytest.raises(ModelDirError, match="ONNX Runtime has no device 'npu' here"):
        _providers(everything, RuntimeOptions(device="npu"))


def write_files(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        (folder / name).write_bytes(b"1")
    return folder


def test_files_of_a_directory(tmp_path: Path) -> None:
    whole = write_files(tmp_path / "whole", "model.pdmodel", "model.pdiparams", "model.onnx", "model.int8.onnx")
    found = find_model_files(whole)
    assert (found.legacy, found.params, found.onnx) == (whole / "model.pdmodel", whole / "model.pdiparams", whole / "model.onnx")
    flags = f"--model_filename model.pdmodel --params_filename model.pdiparams --save_file {whole / 'model.onnx'}"
    assert found.how_to_make_onnx().endswith(flags)
    assert find_model_files(whole, "int8").onnx == whole / "model.int8.onnx"
    only = write_files(tmp_path / "only", "model.int8.onnx")  # without a plain file
    assert find_model_files(only).onnx == only / "model.int8.onnx"
    assert find_model_files(only / "model.int8.onnx").folder == only
    assert find_model_files(only).how_to_make_onnx() == "export the model again with `ppdet export`"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ((), "holds no network: expected model.onnx, model.xml"),
        (("model.json",), "model.json has no weights beside it .expected model.pdiparams.: the copy is incomplete"),
        (("model.xml",), "model.xml has no weights beside it .expected model.bin.: the copy is incomplete"),
    ],
)
def test_directories_that_are_incomplete(tmp_path: Path, files: tuple[str, ...], words: str) -> None:
    with pytest.raises(ModelDirError, match=words):
        find_model_files(write_files(tmp_path / "model", *files))


def test_a_precision_that_is_not_there_and_no_directory(tmp_path: Path) -> None:
    with pytest.raises(ModelDirError, match="no network in int8 .no model.int8.onnx.: export it with --precision fp32,int8"):
        find_model_files(write_files(tmp_path / "model", "model.onnx"), "int8")
    with pytest.raises(ModelDirError, match="nowhere is not a directory"):
        find_model_files(tmp_path / "nowhere")


def test_the_size_is_that_of_the_largest_file(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "model", "model.json")
    (folder / "model.pdiparams").write_bytes(bytes(3 << 20))
    assert network_megabytes(folder) == 3.0 == network_megabytes(folder / "model.pdiparams")
    assert network_megabytes(write_files(tmp_path / "empty")) == 0


def test_an_empty_file_is_an_incomplete_copy(tmp_path: Path) -> None:
    (write_files(tmp_path / "model") / "model.onnx").touch()
    with pytest.raises(ModelDirError, match="model.onnx is empty: the copy is incomplete"):
        find_model_files(tmp_path / "model")
