"""ONNX Runtime as an engine."""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ppdet.core.errors import ModelDirError
from ppdet.inference.runtimes.base import Runtime, RuntimeOptions, first_line
from ppdet.inference.runtimes.model_files import ModelFiles


class OnnxRuntime(Runtime):
    """Runs `model.onnx`.

    Args:
        files: what the model's directory holds.
        options: device, threads, precision.

    Raises:
        ModelDirError: no ONNX file, an ONNX file that does not load, or a device that this build does not have.
    """

    engine = "onnxruntime"

    def __init__(self, files: ModelFiles, options: RuntimeOptions) -> None:
        import onnxruntime

        if files.onnx is None:
            raise ModelDirError(f"ONNX Runtime needs model.onnx in {files.folder}; {how_to_make_onnx(files)}")
        if options.precision != "fp32":
            raise ModelDirError(f"ONNX Runtime runs this model in fp32, not {options.precision}: use --engine openvino for "
                                "bf16, or --precision fp32")
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = options.cpu_threads
        settings.inter_op_num_threads = 1
        settings.log_severity_level = 3
        # Spinning workers would starve the threads that read and write frames.
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
        providers = _providers(onnxruntime.get_available_providers(), options)
        try:
            self._session = onnxruntime.InferenceSession(str(files.onnx), settings, providers=providers)
        except Exception as error:
            raise ModelDirError(f"ONNX Runtime cannot load {files.onnx}: {first_line(error)}; export the model again") from error
        self.input_names = [item.name for item in self._session.get_inputs()]
        self.input_shapes = {item.name: item.shape for item in self._session.get_inputs()}
        self.place = str(files.folder)
        batch = self._session.get_inputs()[0].shape[0]
        self.fixed_batch = batch if isinstance(batch, int) and batch > 0 else None
        used = self._session.get_providers()[0].replace("ExecutionProvider", "")
        if options.device == "gpu" and used == "CPU":
            raise ModelDirError("ONNX Runtime has fallen back from the GPU to the CPU, so its CUDA libraries do not load; "
                                "mend the CUDA installation or use --device cpu")
        self.description = (f"ONNX Runtime {onnxruntime.__version__}, fp32, {used}, {options.cpu_threads} threads, "
                            f"{files.onnx.name}")

    def run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Run the model once; see `Runtime.run`."""
        self.check_feeds(feeds)
        try:
            return self._session.run(None, {name: np.ascontiguousarray(array) for name, array in feeds.items()})
        except Exception as error:  # the engine's own kinds of error, which a caller could not import
            raise self.failure(feeds, error) from error


def _providers(available: list[str], options: RuntimeOptions) -> list[str]:
    if options.device == "cpu":
        return ["CPUExecutionProvider"]
    if options.device != "gpu":
        raise ModelDirError(f"ONNX Runtime has no device {options.device!r} here: use --device cpu or gpu, or --engine paddle")
    wanted = "TensorrtExecutionProvider" if options.run_mode.startswith("trt_") else "CUDAExecutionProvider"
    if wanted not in available:
        raise ModelDirError(f"this ONNX Runtime has no {wanted} (it has {', '.join(available)}): install onnxruntime-gpu, "
                            "or use --device cpu")
    provider = (wanted, {"trt_fp16_enable": options.run_mode == "trt_fp16"}) if wanted.startswith("Tensorrt") else wanted
    return [provider, "CPUExecutionProvider"]


def how_to_make_onnx(files: ModelFiles) -> str:
    """The command that converts the Paddle program of a directory, for an error message."""
    if files.paddle_program is None or files.params is None:
        return "export the model again with tools/export_model.py"
    return (f"export again with tools/export_model.py --onnx, or convert: paddle2onnx --model_dir {files.folder} "
            f"--model_filename {files.paddle_program.name} "
            f"--params_filename {files.params.name} --save_file {files.folder / 'model.onnx'}")
