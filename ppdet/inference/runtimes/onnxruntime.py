"""The engine ONNX Runtime."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ppdet.core.errors import EngineError, ModelDirError
from ppdet.core.quantity import quantity
from ppdet.inference.runtimes.base import Runtime, RuntimeOptions, first_line
from ppdet.inference.runtimes.model_files import ModelFiles, stored_precision
from ppdet.inference.runtimes.registry import register_runtime

if TYPE_CHECKING:
    import numpy as np

# Types of inputs that an array of floats is turned into; other engines do the same by themselves.
_NUMBERS = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(double)": "float64", "tensor(uint8)": "uint8"}


@register_runtime
class OnnxRuntime(Runtime):
    """Runs `model.onnx`.

    Args:
        files: files of the model's directory.
        options: device, threads, precision.

    Raises:
        ModelDirError: there is no ONNX file, it cannot be loaded, or this build does not support the device.
    """

    engine = "onnxruntime"
    title = "ONNX Runtime"
    package = "onnxruntime"
    install = "pip install onnxruntime (for CUDA: onnxruntime-gpu)"
    reads = ("onnx",)
    devices = ("cpu", "gpu")
    # fp16 is a matter of storage (weights in 16 bits, arithmetic in 32); int8 of the file's quantised nodes.
    precisions = ("fp32", "fp16", "int8")
    thread_safety = "one session serves all threads, which run side by side"
    keeps_bits = True
    # The fastest on a CPU in fp32. Processor time of one run with one thread, ONNX Runtime 1.31 / OpenVINO 2026.4 (AMD EPYC,
    # AVX-512): PP-TinyPose 256x192 8.3 / 12.2 ms, 128x96 4.7 / 7.2 ms, batch 8 of it 20.7 / 24.5 ms, PicoDet-S 320
    # 9.0 / 16.4 ms. Paddle Inference takes 4 to 10 times as long. It also yields better on a busy machine.
    races = True
    auto_rank = MappingProxyType({"cpu": 1, "gpu": 1, "tensorrt": 2})

    def __init__(self, files: ModelFiles, options: RuntimeOptions) -> None:
        import onnxruntime

        if files.onnx is None:
            raise ModelDirError(f"ONNX Runtime needs model.onnx in {files.folder}; {files.how_to_make_onnx()}")
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = options.cpu_threads
        settings.inter_op_num_threads = 1
        settings.log_severity_level = 3
        # Busy-waiting workers would slow down the threads that read and write frames.
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._origin = files, options
        self._one_thread: OnnxRuntime | None = None
        providers = _providers(onnxruntime.get_available_providers(), options)
        try:
            self._session = onnxruntime.InferenceSession(str(files.onnx), settings, providers=providers)
        except Exception as error:
            raise ModelDirError(f"ONNX Runtime cannot load {files.onnx}: {first_line(error)}; export the model again") from error
        self.input_names = [item.name for item in self._session.get_inputs()]
        self.input_shapes = {item.name: item.shape for item in self._session.get_inputs()}
        self._dtypes = {item.name: _NUMBERS[item.type] for item in self._session.get_inputs() if item.type in _NUMBERS}
        self.place, self.device = str(files.folder), options.device
        batch = self._session.get_inputs()[0].shape[0]
        self.fixed_batch = batch if isinstance(batch, int) and batch > 0 else None
        used = self._session.get_providers()[0].replace("ExecutionProvider", "")
        if options.device == "gpu" and used == "CPU":
            raise ModelDirError("ONNX Runtime has fallen back from the GPU to the CPU, so its CUDA libraries do not load; "
                                "repair the CUDA installation or use --device cpu")
        self.precision = stored_precision(files.onnx)
        threads = quantity(options.cpu_threads, "thread")
        self.description = (f"ONNX Runtime {onnxruntime.__version__}, {self.precision}, {used}, {threads}, "
                            f"{files.onnx.name}")

    def with_one_thread(self) -> OnnxRuntime:
        """See `Runtime.with_one_thread`; loaded at the first call."""
        files, options = self._origin
        if options.cpu_threads == 1 or options.device != "cpu":
            return self
        if self._one_thread is None:
            self._one_thread = OnnxRuntime(files, replace(options, cpu_threads=1))
        return self._one_thread

    def run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Run the model once; see `Runtime.run`."""
        feeds = {name: array.astype(self._dtypes.get(name, array.dtype), copy=False)
                 for name, array in self.checked(feeds).items()}
        try:
            return self._session.run(None, feeds)
        except Exception as error:  # the engine has its own error types, which callers cannot import
            raise self.failure(feeds, error) from error


def _providers(available: list[str], options: RuntimeOptions) -> list[Any]:
    if options.device == "cpu":
        return ["CPUExecutionProvider"]
    if options.device != "gpu":
        raise EngineError(f"ONNX Runtime has no device {options.device!r} here: use --device cpu or gpu, or another --engine")
    wanted = "TensorrtExecutionProvider" if options.run_mode.startswith("trt_") else "CUDAExecutionProvider"
    if wanted not in available:
        raise EngineError(f"this ONNX Runtime has no {wanted} (it has {', '.join(available)}): install onnxruntime-gpu, "
                          "or use --device cpu")
    provider = (wanted, {"trt_fp16_enable": options.run_mode == "trt_fp16"}) if wanted.startswith("Tensorrt") else wanted
    return [provider, "CPUExecutionProvider"]
