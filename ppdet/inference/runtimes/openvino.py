"""The engine OpenVINO."""
from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ppdet.core.errors import EngineError, ModelDirError
from ppdet.core.quantity import quantity
from ppdet.inference.runtimes.base import Runtime, RuntimeOptions, first_line
from ppdet.inference.runtimes.instance_pool import InstancePool
from ppdet.inference.runtimes.model_files import ModelFiles, stored_precision
from ppdet.inference.runtimes.registry import register_runtime

if TYPE_CHECKING:
    import numpy as np


@register_runtime
class OpenVINORuntime(Runtime):
    """Runs `model.xml`, `model.onnx` or, without them, a Paddle 2 `model.pdmodel`.

    By default OpenVINO computes in bfloat16 if the processor supports it, which changes heatmap peaks by up to .026 and AP by
    up to .011. Here float32 is requested unless the caller chooses "bf16".

    Args:
        files: files of the model's directory.
        options: device, threads, precision.

    Raises:
        ModelDirError: there is no file that OpenVINO reads, it cannot be loaded, or the device is missing.
    """

    engine = "openvino"
    title = "OpenVINO"
    package = "openvino"
    install = "pip install openvino"
    reads = ("ir", "onnx", "legacy")
    devices = ("cpu", "gpu", "npu")
    precisions = ("fp32", "bf16", "fp16", "int8")
    thread_safety = "each thread that runs at the same time gets an infer request of its own; the weights are shared"
    keeps_bits = True
    # Its GPU is Intel graphics, so the CUDA engines come first.
    races = True
    auto_rank = MappingProxyType({"cpu": 2, "gpu": 3})

    def __init__(self, files: ModelFiles, options: RuntimeOptions) -> None:
        import openvino

        path = files.ir or files.onnx or files.legacy
        if path is None:
            raise ModelDirError(f"OpenVINO reads model.xml, model.onnx or model.pdmodel, and {files.folder} has none; "
                                f"{files.how_to_make_onnx()}")
        core = openvino.Core()
        device = _device(core.available_devices, options)
        settings: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": "bf16" if options.precision == "bf16" else "f32",
            "PERFORMANCE_HINT": "LATENCY",
        }
        if device == "CPU":
            settings["INFERENCE_NUM_THREADS"] = options.cpu_threads * options.runs_at_once
            settings["NUM_STREAMS"] = options.runs_at_once
        try:
            compiled = core.compile_model(core.read_model(str(path)), device, settings)
        except Exception as error:
            raise ModelDirError(f"OpenVINO cannot load {path}: {first_line(error)}; export the model again or use another "
                                "--engine") from error
        self._requests = InstancePool(compiled.create_infer_request(), compiled.create_infer_request)
        self._outputs = compiled.outputs
        self.input_names = [port.get_any_name() for port in compiled.inputs]
        shapes = [port.get_partial_shape() for port in compiled.inputs]
        self.input_shapes = {name: [side_of(side) for side in shape] for name, shape in zip(self.input_names, shapes)}
        self.place, self.device = str(files.folder), options.device
        batch = compiled.inputs[0].get_partial_shape()[0]
        self.fixed_batch = batch.get_length() if batch.is_static else None
        stored = stored_precision(path)
        self.precision = _precision_in_use(compiled, options.precision) if stored == "fp32" else stored
        version = openvino.__version__.split("-")[0]
        threads = quantity(options.cpu_threads, "thread")
        self.description = f"OpenVINO {version}, {self.precision}, {device}, {threads}, {path.name}"

    def run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Run the model once; see `Runtime.run`."""
        feeds = self.checked(feeds)
        with self._requests.lend() as request:
            try:
                results = request.infer(feeds)
            except Exception as error:
                raise self.failure(feeds, error) from error
            # The request reuses its buffers in the next run, so copy the outputs before returning it to the pool.
            return [results[port].copy() for port in self._outputs]


def side_of(side: Any) -> int | str:
    """One side of a partial shape: its length, or OpenVINO's notation of its range."""
    return side.get_length() if side.is_static else str(side)


def _device(available: list[str], options: RuntimeOptions) -> str:
    wanted = options.device.upper()
    if options.run_mode.startswith("trt_"):
        raise EngineError(f"run_mode {options.run_mode} is TensorRT: use --engine paddle or onnxruntime")
    if wanted not in ("CPU", "GPU", "NPU") or not any(name.split(".")[0] == wanted for name in available):
        raise EngineError(f"OpenVINO finds no device {options.device!r} here (it finds {', '.join(available)}): use "
                          "--device cpu or another --engine")
    return wanted


def _precision_in_use(compiled: Any, asked: str) -> str:
    """The precision reported by the compiled model; without bfloat16 in the processor it silently stays float32."""
    try:
        name = str(compiled.get_property("INFERENCE_PRECISION_HINT"))
    except Exception:  # some device plug-ins do not report it; then assume the requested precision
        return asked
    for key, precision in (("bfloat16", "bf16"), ("bf16", "bf16"), ("float16", "fp16"), ("f16", "fp16"), ("f32", "fp32"),
                           ("float32", "fp32")):
        if key in name:
            return precision
    return asked
