"""Times a few training iterations of a config on this machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import paddle

from ppdet.core.config.load import load_config
from ppdet.core.logger import get_logger
from ppdet.core.paddle_process import remove_paddle_log_handler
from ppdet.engine.assembly import Assembly
from ppdet.engine.benchmarks.training_speed import measure_training

_log = get_logger(__name__)
ITERATIONS, WARMUP = 3, 1


def can_build_operators() -> bool:
    """Whether training would run on a CPU and a compiler for the toolkit's own operators is installed."""
    on_gpu = paddle.is_compiled_with_cuda() and paddle.device.cuda.device_count() > 0
    return not on_gpu and shutil.which(os.environ.get("CXX", "g++")) is not None


class MeasuredSpeed(NamedTuple):
    """Training speed of a config.

    Attributes:
        pixels_per_s: input pixels per second on this machine when nothing else runs.
        busy: factor by which other programs slowed it down while it was measured.
    """

    pixels_per_s: float
    busy: float


def measure_speed(config: Path) -> MeasuredSpeed:
    """Time a few iterations.

    The medians of the parts of an iteration are summed, so a single iteration that waited for another program has no effect. On
    a CPU, the processor time is taken if it is less: plans should not depend on what else was running at the time.

    Raises:
        ConfigError: the CPU operators cannot be built.
    """
    remove_paddle_log_handler()  # importing Paddle has added it again
    loaded = load_config(config)
    _log.info("timing %d training iterations", ITERATIONS)
    speed = measure_training(loaded, ITERATIONS, WARMUP)
    codec = Assembly(loaded).codec
    assert codec is not None, "a pose config has a codec"
    width, height = codec.input_wh
    passed = speed.data + speed.forward + speed.backward + speed.update
    seconds = min(passed, speed.cpu) if paddle.device.get_device() == "cpu" else passed
    return MeasuredSpeed(float(speed.batch_size * speed.processes / seconds * width * height), float(passed / seconds))
