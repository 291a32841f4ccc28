"""What every engine offers: named inputs, a run, and a line that says what it is."""
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from ppdet.core.errors import ConfigError, ModelDirError

# How lines begin in which engines say where in their own code they are.
PLACES = ("Exception from", "In user code", "File ", "C++ Traceback", "Check ")

RUN_MODES = ("paddle", "trt_fp32", "trt_fp16", "trt_int8")


@dataclass(frozen=True)
class RuntimeOptions:
    """How to run a model, in words that every engine translates into its own.

    Attributes:
        device: "cpu", "gpu", or one of Paddle's other devices ("xpu", "npu", "mlu").
        cpu_threads: threads of the engine, 1 or more.
        precision: "fp32", or "bf16" where the engine and the processor have it.
        run_mode: "paddle" for the plain engine, or "trt_*" for TensorRT under a GPU.
        enable_mkldnn: let Paddle Inference use oneDNN. Off by default: Paddle 3.3 and later crash with it.
        batch_size: largest batch that will be asked for; TensorRT sizes its workspace by it.
        trt_shape_range: smallest, optimum and largest side for TensorRT when the input has a dynamic size.
        dynamic_shape: the card's `use_dynamic_shape`: the input has no fixed size.
        trt_calib_mode: calibrate TensorRT int8 from the data instead of from the model's own scales.
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

    def __post_init__(self) -> None:
        if self.cpu_threads < 1:
            raise ConfigError(f"cpu_threads is {self.cpu_threads}: give 1 or more")
        if self.precision not in ("fp32", "bf16"):
            raise ConfigError(f"precision {self.precision!r} is unknown: give 'fp32' or 'bf16'")
        if self.run_mode not in RUN_MODES:
            raise ConfigError(f"run_mode {self.run_mode!r} is unknown: give one of {', '.join(RUN_MODES)}")
        if self.run_mode.startswith("trt_") and self.device != "gpu":
            raise ConfigError(f"run_mode {self.run_mode} is TensorRT and needs --device gpu, not {self.device}")


class Runtime(ABC):
    """A loaded model.

    Attributes:
        engine: "paddle", "onnxruntime", "openvino", or another name that tells where the numbers come from.
        precision: what the engine computes in, as far as it tells: "fp32", "bf16", ...
        input_names: names of the inputs, in the model's order.
        fixed_batch: the only batch size that the model takes, or None if it takes any.
        description: one line for people: engine, version, precision, device, threads, file.
        place: the model's directory, for messages.
        input_shapes: for each input its shape, with the model's own words for sides that are free; empty if unknown.
    """

    engine: str = ""
    precision: str = "fp32"
    input_names: Sequence[str] = ()
    fixed_batch: int | None = None
    description: str = ""
    place: str = "the model"
    input_shapes: Mapping[str, Sequence[object]] = MappingProxyType({})

    @abstractmethod
    def run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Run the model once.

        Args:
            feeds: an array for every name in `input_names`.

        Returns:
            The outputs in the model's order, as arrays that the caller owns.

        Raises:
            ModelDirError: the inputs are not the model's, or the engine fails on them.
        """

    def check_feeds(self, feeds: Mapping[str, np.ndarray]) -> None:
        """Raise if the inputs given are not the inputs of the model, by name or by shape.

        Some engines compute something from an input of the wrong size: Paddle Inference and OpenVINO fold what is too much into
        the batch.
        """
        if set(feeds) != set(self.input_names):
            raise ModelDirError(f"the model wants the inputs {sorted(self.input_names)}, but its infer_cfg.yml leads to "
                                f"{sorted(feeds)}: the card and the model file are not of one export; export again")
        for name, array in feeds.items():
            shape = self.input_shapes.get(name, array.shape)
            fits = len(shape) == array.ndim and all(not isinstance(side, int) or side < 0 or side == given
                                                    for side, given in zip(shape, array.shape))
            if not fits:
                raise self.failure(feeds)

    def failure(self, feeds: Mapping[str, np.ndarray], error: Exception | None = None) -> ModelDirError:
        """What to raise when inputs do not fit or the engine fails: directory, shapes given and expected, the engine's words."""
        given = ", ".join(f"{name} {shape_text(array.shape)}" for name, array in feeds.items())
        expected = ", ".join(f"{name} {shape_text(shape)}" for name, shape in self.input_shapes.items())
        expected = f"; the network takes {expected}" if expected else ""
        what = "does not take" if error is None else "fails on"
        words = "" if error is None else f". {self.engine} says: {first_line(error)}"
        return ModelDirError(
            f"{self.place}: the network {what} the input that its infer_cfg.yml leads to: {given}{expected}. Do the sizes in "
            f"the card (target_size, trainsize, input_wh) belong to this network? Put them right or export it again{words}")


def shape_text(shape: Sequence[object]) -> str:
    """A shape as "1 x 3 x 64 x 48"; sides that are not fixed as the model names them, or "?"."""
    return " x ".join("?" if side is None or side == -1 else str(side) for side in shape)


def first_line(error: Exception, most: int = 300) -> str:
    """The first line of an engine's message, which is the one for people."""
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip(" -") and not line.strip().startswith(PLACES)]
    return lines[0][:most] if lines else type(error).__name__
