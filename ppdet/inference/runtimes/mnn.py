"""The engine MNN."""
from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
class MNNRuntime(Runtime):
    """Runs `model.mnn`.

    Args:
        files: files of the model's directory.
        options: threads and precision.

    Raises:
        ModelDirError: there is no such file, or MNN cannot load it.
    """

    engine = "mnn"
    title = "MNN"
    package = "MNN"
    install = "pip install MNN"
    reads = ("mnn",)
    precisions = ("fp32", "fp16", "int8")
    thread_safety = "each thread that runs at the same time gets a module of its own"
    races = True
    auto_rank = MappingProxyType({"cpu": 4})

    def __init__(self, files: ModelFiles, options: RuntimeOptions) -> None:
        path = files.mnn
        if path is None:
            raise ModelDirError(f"MNN needs model.mnn in {files.folder}: export with --targets onnx,mnn")
        if options.device != "cpu":
            raise EngineError(f"MNN runs on the processor here, not on {options.device}: use --device cpu or another --engine")
        with _stdout_to_stderr():  # importing it prints the abilities of the processor
            import MNN
            import MNN.expr

            self._expr = MNN.expr
            # "high" is float32; otherwise MNN may compute in 16 bits on processors that can.
            settings = {"backend": "CPU", "numThread": options.cpu_threads, "precision": "high"}
            try:
                manager = MNN.nn.create_runtime_manager((settings,))
                module = MNN.nn.load_module_from_file(str(path), [], [], runtime_manager=manager)
                info = module.get_info()
            except Exception as error:
                raise ModelDirError(f"MNN cannot load {path}: {first_line(error)}; export the model again") from error
        self._manager = manager
        self._modules = InstancePool(
            module, lambda: MNN.nn.load_module_from_file(str(path), [], [], runtime_manager=manager)
        )
        self.input_names = list(info["inputNames"])
        self.place = str(files.folder)
        self.precision = stored_precision(path)
        self.description = f"MNN {MNN.version()}, {self.precision}, CPU, {quantity(options.cpu_threads, 'thread')}, {path.name}"

    def run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Run the model once; see `Runtime.run`."""
        import numpy as np

        feeds = self.checked(feeds)
        with self._modules.lend() as module:
            try:
                given = [self._variable(feeds[name]) for name in self.input_names]
                found = module.forward(given)
                return [np.array(each.read()) for each in found]
            except Exception as error:
                raise self.failure(feeds, error) from error

    def _variable(self, array: np.ndarray) -> Any:
        order = self._expr.NCHW if array.ndim == 4 else self._expr.NHWC
        return self._expr.const(array, list(array.shape), order)


@contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """What a library prints goes to stderr, so that `--json -` stays clean."""
    sys.stdout.flush()
    saved = os.dup(1)
    try:
        os.dup2(2, 1)
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
