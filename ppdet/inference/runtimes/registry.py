"""Chooses the engine for a model: the fastest that is installed and can read what the directory holds."""
from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from ppdet.core.errors import ModelDirError
from ppdet.core.logger import get_logger
from ppdet.inference.runtimes.base import Runtime, RuntimeOptions
from ppdet.inference.runtimes.model_files import ModelFiles, find_model_files

# engine -> (package to look for, module of ours, class). Order: fastest first on a CPU in fp32. Processor time of one run with
# one thread, ONNX Runtime 1.31 / OpenVINO 2026.4 (AMD EPYC, AVX-512): PP-TinyPose 256x192 8.3 / 12.2 ms, 128x96 4.7 / 7.2 ms,
# batch 8 of it 20.7 / 24.5 ms, PicoDet-S 320 9.0 / 16.4 ms. Paddle Inference takes 4 to 10 times as long. On a busy machine
# ONNX Runtime also gives way better. In bf16 OpenVINO is the only one of the two.
ENGINES = {
    "onnxruntime": ("onnxruntime", "onnxruntime", "OnnxRuntime"),
    "openvino": ("openvino", "openvino", "OpenVINORuntime"),
    "paddle": ("paddle", "paddle", "PaddleInferenceRuntime"),
}
# On a GPU, OpenVINO would mean Intel graphics; the CUDA engines come first.
GPU_ORDER = ("onnxruntime", "paddle", "openvino")
# A TensorRT run mode is a wish for Paddle's or ONNX Runtime's TensorRT, in PaddleDetection's order.
TRT_ORDER = ("paddle", "onnxruntime")

_said: set[str] = set()


def load_runtime(
    model_dir: str | Path,
    engine: str = "auto",
    device: str = "cpu",
    cpu_threads: int = 2,
    precision: str = "fp32",
    **options: object,
) -> Runtime:
    """Load an exported model into an engine.

    With "auto" the fastest engine that is installed and can read the directory is taken; one log line says which it is
    and one line each why a faster one was passed over.

    Args:
        model_dir: directory with `model.onnx`, `model.json` or `model.pdmodel`.
        engine: "auto", "onnxruntime", "openvino" or "paddle".
        device: "cpu", "gpu", "xpu", "npu" or "mlu", in any case.
        cpu_threads: threads of the engine.
        precision: "fp32" or "bf16".
        **options: further fields of `RuntimeOptions`.

    Raises:
        ModelDirError: no engine can run the model; the message has every engine's reason.
    """
    files = find_model_files(model_dir)
    wanted = RuntimeOptions(device=device.lower(), cpu_threads=cpu_threads, precision=precision, **options)
    if engine != "auto":
        if engine not in ENGINES:
            raise ModelDirError(f"engine {engine!r} is unknown: give auto, {', '.join(ENGINES)}")
        if not _installed(engine):
            raise ModelDirError(f"--engine {engine}: the package {ENGINES[engine][0]!r} is not installed; install it or use "
                                "--engine auto")
        return _announced(_load(engine, files, wanted), files, wanted)
    refusals = []
    for name in _order(wanted):
        if not _installed(name):
            refusals.append(f"{name}: not installed")
            continue
        try:
            runtime = _load(name, files, wanted)
        except ModelDirError as error:
            refusals.append(f"{name}: {error}")
            continue
        _say_once(refusals, files)
        return _announced(runtime, files, wanted)
    reasons = "\n  ".join(refusals)
    raise ModelDirError(f"no engine here can run {files.folder} on {wanted.device} in {wanted.precision}:\n  {reasons}")


def _order(options: RuntimeOptions) -> tuple[str, ...]:
    if options.run_mode.startswith("trt_"):
        return TRT_ORDER
    return tuple(ENGINES) if options.device == "cpu" else GPU_ORDER


def _say_once(refusals: list[str], files: ModelFiles) -> None:
    """One short line a run, however many models are loaded; what to do about it is told if the engine is asked for."""
    short = [refusal.split("; ")[0].replace(str(files.folder), "the directory").split(": ")[:2] for refusal in refusals]
    line = ", ".join(f"{engine} ({reason})" for engine, reason in short)
    if line and line not in _said:
        _said.add(line)
        get_logger(__name__).info("engines passed over: %s", line)


def _installed(engine: str) -> bool:
    return find_spec(ENGINES[engine][0]) is not None


def _load(engine: str, files: ModelFiles, options: RuntimeOptions) -> Runtime:
    package, module, class_name = ENGINES[engine]
    try:
        runtime_class = getattr(import_module(f"ppdet.inference.runtimes.{module}"), class_name)
        return runtime_class(files, options)
    except ImportError as error:
        raise ModelDirError(f"the package {package!r} is installed but does not import ({error}); reinstall it") from error


def _announced(runtime: Runtime, files: ModelFiles, options: RuntimeOptions) -> Runtime:
    if options.enable_mkldnn and runtime.engine != "paddle":
        get_logger(__name__).info("enable_mkldnn is for Paddle Inference only; %s has its own kernels", runtime.engine)
    get_logger(__name__).info("%s runs on %s", files.folder.name or files.folder, runtime.description)
    return runtime
