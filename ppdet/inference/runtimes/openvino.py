"""OpenVINO as an engine."""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ppdet.core.errors import ModelDirError
from ppdet.inference.runtimes.base import Runtime, RuntimeOptions, first_line
from ppdet.inference.runtimes.model_files import ModelFiles
from ppdet.inference.runtimes.onnxruntime import how_to_make_onnx


class OpenVINORuntime(Runtime):
    """Runs `model.onnx` or, without it, a Paddle 2 `model.pdmodel`.

    Left to itself OpenVINO computes in bfloat16 wherever the processor has it, which moves heatmap peaks by up to .026 and
    AP by up to .011. Here float32 is asked for unless the caller chooses "bf16".

    Args:
        files: what the model's directory holds.
        options: device, threads, precision.

    Raises:
        ModelDirError: nothing that OpenVINO reads, a file that does not load, or a device that is not there.
    """

    engine = "openvino"

    def __init__(self, files: ModelFiles, options: RuntimeOptions) -> None:
        import openvino

        path = files.onnx or files.legacy
        if path is None:
            raise ModelDirError(f"OpenVINO reads model.onnx or model.pdmodel, and {files.folder} has neither; "
                                f"{how_to_make_onnx(files)}")
        core = openvino.Core()
        device = _device(core.available_devices, options)
        settings = {
            "INFERENCE_PRECISION_HINT": {"fp32": "f32", "bf16": "bf16"}[options.precision],
            "PERFORMANCE_HINT": "LATENCY",
        }
        if device == "CPU":
            settings["INFERENCE_NUM_THREADS"] = options.cpu_threads
        try:
            compiled = core.compile_model(core.read_model(str(path)), device, settings)
        except Exception as error:
            raise ModelDirError(f"OpenVINO cannot load {path}: {first_line(error)}; export the model again or use another "
                                "--engine") from error
        self._request = compiled.create_infer_request()
        self._outputs = compiled.outputs
        self.input_names = [port.get_any_name() for port in compiled.inputs]
        shapes = [port.get_partial_shape() for port in compiled.inputs]
        self.input_shapes = {name: [side_of(side) for side in shape] for name, shape in zip(self.input_names, shapes)}
        self.place = str(files.folder)
        batch = compiled.inputs[0].get_partial_shape()[0]
        self.fixed_batch = batch.get_length() if batch.is_static else None
        self.precision = _precision_in_use(compiled, options.precision)
        version = openvino.__version__.split("-")[0]
        self.description = f"OpenVINO {version}, {self.precision}, {device}, {options.cpu_threads} threads, {path.name}"

    def run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Run the model once; see `Runtime.run`."""
        self.check_feeds(feeds)
        try:
            results = self._request.infer({name: np.ascontiguousarray(array) for name, array in feeds.items()})
        except Exception as error:
            raise self.failure(feeds, error) from error
        # The request reuses its buffers at the next run, so the caller gets copies.
        return [np.array(results[port]) for port in self._outputs]


def side_of(side: object) -> int | str:
    """One side of a partial shape: its length, or OpenVINO's words for what it may be."""
    return side.get_length() if side.is_static else str(side)


def _device(available: list[str], options: RuntimeOptions) -> str:
    wanted = options.device.upper()
    if options.run_mode.startswith("trt_"):
        raise ModelDirError(f"run_mode {options.run_mode} is TensorRT: use --engine paddle or onnxruntime")
    if wanted not in ("CPU", "GPU", "NPU") or not any(name.split(".")[0] == wanted for name in available):
        raise ModelDirError(f"OpenVINO finds no device {options.device!r} here (it finds {', '.join(available)}): use "
                            "--device cpu or another --engine")
    return wanted


def _precision_in_use(compiled: object, asked: str) -> str:
    """What the compiled model says it computes in; a processor without bfloat16 silently keeps to float32."""
    try:
        name = str(compiled.get_property("INFERENCE_PRECISION_HINT"))
    except Exception:  # a device plug-in may not tell; then the request is all that is known
        return asked
    for key, precision in (("bfloat16", "bf16"), ("bf16", "bf16"), ("float16", "fp16"), ("f16", "fp16"), ("f32", "fp32"),
                           ("float32", "fp32")):
        if key in name:
            return precision
    return asked
