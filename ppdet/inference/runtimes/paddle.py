"""The engine Paddle Inference. The only module of ppdet.inference that imports Paddle."""
from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ppdet.core.errors import EngineError, ModelDirError
from ppdet.core.logger import get_logger
from ppdet.core.paddle_process import prepare_for_paddle, remove_paddle_log_handler
from ppdet.core.quantity import quantity
from ppdet.inference.runtimes.base import Runtime, RuntimeOptions, first_line
from ppdet.inference.runtimes.instance_pool import InstancePool
from ppdet.inference.runtimes.model_files import ModelFiles
from ppdet.inference.runtimes.registry import register_runtime

if TYPE_CHECKING:
    import numpy as np

# Fraction of the largest value; correct kernels differ by less than 1e-4.
ONEDNN_TOLERANCE = 0.01


@register_runtime
class PaddleInferenceRuntime(Runtime):
    """Runs `model.json` (Paddle 3) or `model.pdmodel` (Paddle 2) with Paddle Inference.

    Args:
        files: files of the model's directory.
        options: device, threads, precision, TensorRT.

    Raises:
        ModelDirError: there is no Paddle program, it cannot be loaded, or this Paddle does not support the device.
    """

    engine = "paddle"
    title = "Paddle Inference"
    package = "paddle"
    distribution = "paddlepaddle"
    install = "pip install paddlepaddle (for CUDA: paddlepaddle-gpu from Paddle's own index)"
    reads = ("pir", "legacy")
    devices = ("cpu", "gpu", "xpu", "npu", "mlu")
    precisions = ("fp32", "bf16")
    thread_safety = "each thread that runs at the same time gets a clone of the predictor; the weights are shared"
    has_onednn_switch = True
    auto_rank = MappingProxyType({"cpu": 3, "gpu": 2, "tensorrt": 1})

    def __init__(self, files: ModelFiles, options: RuntimeOptions) -> None:
        prepare_for_paddle()
        import paddle
        from paddle import inference

        remove_paddle_log_handler()
        program = files.paddle_program
        if program is None or files.params is None:
            raise ModelDirError(f"Paddle Inference needs model.json or model.pdmodel with model.pdiparams in {files.folder}; "
                                "export the model again with `ppdet export`, or use --engine onnxruntime")
        if options.precision == "bf16" and not options.enable_mkldnn:
            raise EngineError("Paddle Inference computes in bf16 through oneDNN only: add --enable_mkldnn, or use "
                              "another --engine that has bf16")
        predictor = _create(program, files.params, options, paddle, inference)
        self._plain = None
        if options.enable_mkldnn and options.device == "cpu" and options.precision == "fp32":
            self._plain = _create(program, files.params, replace(options, enable_mkldnn=False), paddle, inference)
        self._predictors = InstancePool(predictor, predictor.clone)
        self._onednn_check = threading.Lock()
        self.input_names = list(predictor.get_input_names())
        self.place = str(files.folder)
        if hasattr(predictor, "get_input_tensor_shape"):
            self.input_shapes = predictor.get_input_tensor_shape()
        self.precision = options.run_mode[4:] if options.run_mode.startswith("trt_") else options.precision
        onednn = ", oneDNN" if options.enable_mkldnn and options.device == "cpu" else ""
        self.description = (f"Paddle Inference {paddle.__version__}, {self.precision}, {options.device}{onednn}, "
                            f"{quantity(options.cpu_threads, 'thread')}, {program.name}")

    def run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Run the model once; see `Runtime.run`."""
        feeds = self.checked(feeds)
        try:
            if self._plain is not None:
                self._drop_wrong_onednn(feeds)
            with self._predictors.lend() as predictor:
                return _run(predictor, feeds)
        except Exception as error:  # Paddle raises OSError, ValueError or RuntimeError
            raise self.failure(feeds, error) from error

    def _drop_wrong_onednn(self, feeds: Mapping[str, np.ndarray]) -> None:
        """Before the first run, compare oneDNN's outputs for noise with the plain kernels', and switch oneDNN off if they differ.

        oneDNN in Paddle 3.0 to 3.2 ignores ``align_corners`` in bilinear resizing, which PaddleDetection's exports of
        Lite-HRNet and TinyPose contain. Heatmaps are then off by more than half a peak, without an error.
        """
        import numpy as np

        with self._onednn_check:
            plain = self._plain
            if plain is None:  # another thread did it already
                return
            noise = np.random.default_rng(0)
            trial = {n: noise.normal(0, 1, f.shape).astype(f.dtype) if f.ndim == 4 else f for n, f in feeds.items()}
            with self._predictors.lend() as predictor:
                pairs = list(zip(_run(predictor, trial), _run(plain, trial)))
            off = max((float(np.abs(fast - slow).max()) / max(float(np.abs(slow).max()), 1e-30)
                       for fast, slow in pairs if slow.ndim == 4), default=0.0)
            if off > ONEDNN_TOLERANCE:
                get_logger(__name__).warning(
                    "oneDNN computes other heatmaps than Paddle's plain kernels (off by %.0f %% of the largest value: "
                    "this Paddle resizes wrongly with it); oneDNN is switched off for this model", 100 * off)
                self._predictors = InstancePool(plain, plain.clone)
                self.description = self.description.replace(", oneDNN", "")
            self._plain = None


def _create(program: Path, params: Path, options: RuntimeOptions, paddle: Any, inference: Any) -> Any:
    config = inference.Config(str(program), str(params))
    config.disable_glog_info()
    config.switch_ir_optim(True)
    # enable_memory_optim() is not called: with a Paddle 3 program, creating the predictor would fail.
    place_on_device(config, options, paddle, inference)
    try:
        return inference.create_predictor(config)
    except Exception as error:
        raise ModelDirError(f"Paddle Inference {paddle.__version__} cannot load {program}: {first_line(error)}; export "
                            "the model with this version of Paddle, or use another --engine") from error


def _run(predictor: Any, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    for name, array in feeds.items():
        handle = predictor.get_input_handle(name)
        handle.reshape(array.shape)
        handle.copy_from_cpu(array)
    predictor.run()
    return [predictor.get_output_handle(name).copy_to_cpu().copy() for name in predictor.get_output_names()]


def place_on_device(config: Any, options: RuntimeOptions, paddle: Any, inference: Any) -> None:
    """Set device, threads, oneDNN and TensorRT in a Paddle Inference config."""
    if options.device == "cpu":
        config.disable_gpu()
        config.set_cpu_math_library_num_threads(options.cpu_threads)
        if options.enable_mkldnn:
            config.enable_mkldnn()
            config.set_mkldnn_cache_capacity(10)
            if options.precision == "bf16":
                config.enable_mkldnn_bfloat16()
        elif hasattr(config, "disable_mkldnn"):
            config.disable_mkldnn()  # on by default from Paddle 3.3 on, where it fails on array attributes
        return
    if options.device != "gpu":
        _place_on_custom_device(config, options.device, paddle)
        return
    if not paddle.is_compiled_with_cuda() or paddle.device.cuda.device_count() == 0:
        raise ModelDirError(f"--device gpu: Paddle {paddle.__version__} here has no CUDA, or there is no GPU; install "
                            "paddlepaddle-gpu or use --device cpu")
    config.enable_use_gpu(200, 0)
    if options.run_mode.startswith("trt_"):
        precisions = {"trt_fp32": inference.PrecisionType.Float32, "trt_fp16": inference.PrecisionType.Half,
                      "trt_int8": inference.PrecisionType.Int8}
        config.enable_tensorrt_engine(
            workspace_size=(1 << 25) * options.batch_size, max_batch_size=options.batch_size, min_subgraph_size=3,
            precision_mode=precisions[options.run_mode], use_static=False, use_calib_mode=options.trt_calib_mode)
        if options.dynamic_shape:
            smallest, optimum, largest = (
                {"image": [1, 3, side, side], "scale_factor": [1, 2]} for side in options.trt_shape_range)
            config.set_trt_dynamic_shape_info(smallest, largest, optimum)


def _place_on_custom_device(config: Any, device: str, paddle: Any) -> None:
    if device == "xpu" and paddle.is_compiled_with_xpu():
        config.enable_xpu(10 * 1024 * 1024)
        return
    if device in paddle.device.get_all_custom_device_type():
        config.enable_custom_device(device)
        return
    raise ModelDirError(f"--device {device}: Paddle {paddle.__version__} here is not built for it; use --device cpu")
