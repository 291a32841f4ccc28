"""Base class of engines: what they declare (name, package, files, devices), and how they are run.

NumPy is imported inside functions, so that `--help` of a command can list the engines quickly.
"""
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from ppdet.core.errors import ConfigError, ModelDirError
from ppdet.inference.runtimes.model_files import ModelFiles

if TYPE_CHECKING:
    import numpy as np

# Lines of an engine's message with these beginnings refer to its own source code.
PLACES = ("Exception from", "In user code", "File ", "C++ Traceback", "Check ")

RUN_MODES = ("paddle", "trt_fp32", "trt_fp16", "trt_int8")
NOTHING: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True)
class RuntimeOptions:
    """How to run a model; each engine translates the options into its own settings.

    Attributes:
        device: "cpu", "gpu", or another device that an engine declares ("xpu", "npu", "mlu").
        cpu_threads: threads of one run, 1 or more.
        runs_at_once: how many threads will call `run` at the same time, each with `cpu_threads` of its own; more wait for each
            other in engines with a fixed set of threads.
        is_brief: only a few inputs will be run, so "auto" takes the engine of the best rank, which also starts soonest, without a
            race: another one may take longer to load than it saves.
        precision: "fp32", or another precision that an engine declares, such as "bf16".
        run_mode: "paddle" for the plain engine, or "trt_*" for TensorRT on a GPU.
        enable_mkldnn: let Paddle Inference use oneDNN. Off by default: Paddle 3.3 and later crash with it.
        batch_size: largest batch that will be run; TensorRT sizes its workspace by it.
        trt_shape_range: smallest, optimum and largest side for TensorRT if the input has a dynamic size.
        dynamic_shape: the card's `use_dynamic_shape`: the input has no fixed size.
        trt_calib_mode: calibrate TensorRT int8 from the data instead of from the model's own scales.

    Raises:
        ConfigError: fewer than 1 thread, an unknown run mode, or TensorRT without a GPU.
    """

    device: str = "cpu"
    cpu_threads: int = 2
    precision: str = "fp32"
    run_mode: str = "paddle"
    enable_mkldnn: bool = False
    batch_size: int = 8
    trt_shape_range: tuple = (1, 640, 1280)
    trt_calib_mode: bool = False
    dynamic_shape: bool = False
    runs_at_once: int = 1
    is_brief: bool = False

    def __post_init__(self) -> None:
        if self.cpu_threads < 1:
            raise ConfigError(f"cpu_threads is {self.cpu_threads}: give 1 or more")
        if self.run_mode not in RUN_MODES:
            raise ConfigError(f"run_mode {self.run_mode!r} is unknown: give one of {', '.join(RUN_MODES)}")
        if self.run_mode.startswith("trt_") and self.device != "gpu":
            raise ConfigError(f"run_mode {self.run_mode} is TensorRT and needs --device gpu, not {self.device}")


class Runtime(ABC):
    """A loaded model in one engine.

    A subclass declares the engine in its class attributes. Command-line choices, the automatic choice, the parity table and the
    documentation are derived from them (`runtimes.registry`), so a new engine is one class:

        @register_runtime
        class MyRuntime(Runtime):
            engine, title, package, reads = "mine", "My Engine", "my_engine", ("onnx",)
            def __init__(self, files: ModelFiles, options: RuntimeOptions) -> None: ...
            def run(self, feeds): ...

    Class attributes:
        engine: short name, the value of `--engine`, also used in reports.
        title: the engine's name in messages.
        package: Python package to import; empty if none is needed.
        distribution: name of that package on the package index, if it differs.
        install: how to install it.
        reads: formats that it reads, in order of preference: fields of `ModelFiles` ("onnx", "ir", "mnn", "pir", "legacy").
        devices: values of `--device` that it may run on.
        precisions: values of `--precision` that it computes in.
        thread_safety: one sentence on calls of `run` from several threads. `run` must be safe in any case.
        auto_rank: rank in the automatic choice for "cpu", "gpu" (any other device) and "tensorrt", the lowest first; without a
            rank it is only used if named explicitly.
        has_onednn_switch: whether it uses `RuntimeOptions.enable_mkldnn`.
        races: whether the automatic choice on a CPU may time it; not if loading it takes seconds.
        keeps_bits: whether an input's output on a CPU is the same to the last bit in any batch (`tests/inference/batching`).

    Attributes:
        precision: what this model computes in, as reported by the engine: "fp32", "bf16", ...
        device: that it runs on, as asked for: "cpu", "gpu", ...; empty if unknown.
        input_names: names of the inputs, in the model's order.
        fixed_batch: the only batch size that the model accepts, or None for any.
        description: one line for logs: engine, version, precision, device, threads, file.
        place: the model's directory, for messages.
        input_shapes: shape of each input; sides that are not fixed as the model names them; empty if unknown.
    """

    engine: ClassVar[str] = ""
    title: ClassVar[str] = ""
    package: ClassVar[str] = ""
    distribution: ClassVar[str] = ""
    install: ClassVar[str] = ""
    reads: ClassVar[Sequence[str]] = ()
    devices: ClassVar[Sequence[str]] = ("cpu",)
    precisions: ClassVar[Sequence[str]] = ("fp32",)
    thread_safety: ClassVar[str] = ""
    auto_rank: ClassVar[Mapping[str, int]] = NOTHING
    has_onednn_switch: ClassVar[bool] = False
    races: ClassVar[bool] = False
    keeps_bits: ClassVar[bool] = False

    precision: str = "fp32"
    device: str = ""
    input_names: Sequence[str] = ()
    fixed_batch: int | None = None
    description: str = ""
    place: str = "the model"
    input_shapes: Mapping[str, Sequence[object]] = MappingProxyType({})

    @classmethod
    def is_installed(cls) -> bool:
        """Whether the engine's package can be found; it is not imported."""
        return not cls.package or find_spec(cls.package) is not None

    @classmethod
    def version(cls) -> str:
        """Version of the engine's package, or "" if it is not known."""
        try:
            return metadata.version(cls.distribution or cls.package)
        except (metadata.PackageNotFoundError, ValueError):
            return ""

    @classmethod
    def can_read(cls, files: ModelFiles) -> bool:
        """Whether a directory contains a file in a format that the engine reads."""
        return any(getattr(files, form) is not None for form in cls.reads)

    @abstractmethod
    def run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Run the model once. May be called from several threads at the same time.

        Args:
            feeds: an array for every name in `input_names`. Images are (B, 3, H, W), also for a network that takes (B, H, W, 3).

        Returns:
            The outputs in the model's order, as arrays owned by the caller.

        Raises:
            ModelDirError: the inputs do not fit the model, or the engine fails.
        """

    def with_one_thread(self) -> Runtime:
        """The same network in an engine of one thread per run, for callers with threads of their own; this engine itself where
        it has one thread already, or would take long or much memory to load again."""
        return self

    def check_feeds(self, feeds: Mapping[str, np.ndarray]) -> None:
        """Raise an error if names or shapes of the inputs do not fit the model.

        Some engines accept inputs of a wrong size and compute nonsense: they move excess pixels into the batch.
        """
        if set(feeds) != set(self.input_names):
            raise ModelDirError(f"the model expects the inputs {sorted(self.input_names)}, but its infer_cfg.yml leads to "
                                f"{sorted(feeds)}: the card and the model file are not of one export; export again")
        for name, array in feeds.items():
            shape = self.input_shapes.get(name, array.shape)
            fits = len(shape) == array.ndim and all(not isinstance(side, int) or side < 0 or side == given
                                                    for side, given in zip(shape, array.shape))
            if not fits:
                raise self.failure(feeds)

    def checked(self, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The inputs as contiguous arrays in the network's order of axes, after `check_feeds`."""
        import numpy as np

        feeds = {name: in_network_order(array, self.input_shapes.get(name, ())) for name, array in feeds.items()}
        self.check_feeds(feeds)
        return {name: np.ascontiguousarray(array) for name, array in feeds.items()}

    def failure(self, feeds: Mapping[str, np.ndarray], error: Exception | None = None) -> ModelDirError:
        """The error to raise if inputs do not fit or the engine fails: directory, given and expected shapes, the engine's
        message."""
        given = ", ".join(f"{name} {shape_text(array.shape)}" for name, array in feeds.items())
        expected = ", ".join(f"{name} {shape_text(shape)}" for name, shape in self.input_shapes.items())
        expected = f"; the network takes {expected}" if expected else ""
        what = "does not take" if error is None else "fails on"
        words = "" if error is None else f". {self.engine} says: {first_line(error)}"
        return ModelDirError(
            f"{self.place}: the network {what} the input that its infer_cfg.yml leads to: {given}{expected}. Do the sizes in "
            f"the card (target_size, trainsize, input_wh) belong to this network? Put them right or export it again{words}")


def is_channels_last(shape: Sequence[object]) -> bool:
    """Whether an input of this shape takes images as (N, H, W, 3), TensorFlow's order of axes."""
    return len(shape) == 4 and shape[3] == 3 and shape[1] != 3


def in_network_order(array: np.ndarray, shape: Sequence[object]) -> np.ndarray:
    """An input in the order of axes that the network states.

    Args:
        array: images (B, 3, H, W), which become (B, H, W, 3) if the network takes them so; anything else stays as it is.
        shape: of the network's input; sides that are not fixed may be anything.
    """
    if is_channels_last(shape) and array.ndim == 4 and array.shape[1] == 3 != array.shape[3]:
        return array.transpose(0, 2, 3, 1)
    return array


def shape_text(shape: Sequence[object]) -> str:
    """A shape as "1 x 3 x 64 x 48"; dynamic sides are shown by the model's name for them, or "?"."""
    return " x ".join("?" if side is None or side == -1 else str(side) for side in shape)


def first_line(error: Exception, most: int = 300) -> str:
    """The first informative line of an engine's message."""
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip(" -") and not line.strip().startswith(PLACES)]
    return lines[0][:most] if lines else type(error).__name__
