"""How fast a config trains on this machine, and which part takes the time."""

from __future__ import annotations

import itertools
import os
import time
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping

import numpy as np
import paddle

from ppdet.core.config.load import Config
from ppdet.core.errors import ConfigError
from ppdet.engine import distributed
from ppdet.engine.assembly import Assembly
from ppdet.engine.device import choose_device
from ppdet.engine.training.run import build_train_step
from ppdet.engine.training.train_step import TrainStep, in_float32, to_tensors


@dataclass(frozen=True)
class TrainingSpeed:
    """Figures of some timed training iterations; seconds are medians over the iterations of the first process.

    Attributes:
        images_per_s: in total, over all processes.
        batch_size: images per iteration and process.
        processes: number of processes.
        data, forward, backward, update: seconds per iteration spent waiting for the batch, in the network and its loss, on
            gradients, and in the optimizer.
        peak_memory_mb: largest resident memory of this process (Linux), or GPU memory.
        cpu: seconds of processor time per iteration, summed over the threads of the first process. On a busy machine, less than
            the time that passes; what a single thread would take on a quiet one.
    """

    images_per_s: float
    batch_size: int
    processes: int
    data: float
    forward: float
    backward: float
    update: float
    peak_memory_mb: float
    cpu: float = float("nan")

    def __str__(self) -> str:
        parts = f"data {self.data:.3f}, forward {self.forward:.3f}, backward {self.backward:.3f}, update {self.update:.3f} s"
        processes = f"{self.processes} x " if self.processes > 1 else ""
        return (
            f"{self.images_per_s:.1f} images/s at batch {processes}{self.batch_size} ({parts}; "
            f"peak memory {self.peak_memory_mb:.0f} MB)"
        )


def measure_training(config: Config, iterations: int = 10, warmup: int = 2, amp: bool = False) -> TrainingSpeed:
    """Train for some iterations without writing anything, and time each part.

    Args:
        config: a training config; its dataset must exist.
        iterations: timed iterations.
        warmup: iterations before those, which are not timed.
        amp: mixed precision.

    Raises:
        ConfigError: the reader has fewer batches than one.
    """
    choose_device(config)
    distributed.start()
    assembly = Assembly(config)
    reader = assembly.reader("Train")
    if len(reader) == 0:
        raise ConfigError("the training reader gives no batch; lower TrainReader.batch_size")
    step = build_train_step(assembly, reader, amp, pretrained=False)
    step.model.train()
    batches = _endless(reader)
    try:
        for batch in itertools.islice(batches, warmup):
            step(batch)
        rows: List[np.ndarray] = []
        started, images = time.perf_counter(), 0
        for _ in range(iterations):
            begin, cpu_begin = time.perf_counter(), time.process_time()
            batch = next(batches)
            waited = time.perf_counter() - begin
            rows.append(np.array([waited, *_timed(step, batch), time.process_time() - cpu_begin]))
            images += len(batch["image"])
        seconds = time.perf_counter() - started
    finally:
        reader.close()
    data, forward, backward, update, cpu = (float(value) for value in np.median(np.array(rows), axis=0))
    everywhere = float(distributed.total(np.array([images / seconds], np.float32))[0])
    return TrainingSpeed(
        images_per_s=everywhere,
        batch_size=images // iterations,
        processes=distributed.world_size(),
        data=data,
        forward=forward,
        backward=backward,
        update=update,
        peak_memory_mb=_peak_memory_mb(),
        cpu=cpu,
    )


def _timed(step: TrainStep, batch: Mapping[str, Any]) -> List[float]:
    """Seconds of forward, backward and update of one batch, by the methods of `TrainStep`."""
    times = [time.perf_counter()]
    tensors: Dict[str, Any] = to_tensors(batch)
    with step.precision.autocast():
        outputs = step.network(tensors["image"])
    loss = step.model.loss(in_float32(outputs), tensors)["loss"]
    float(loss.numpy())  # waits for a GPU
    times.append(time.perf_counter())
    step.precision.backward(loss)
    _wait()
    times.append(time.perf_counter())
    step.update()
    _wait()
    times.append(time.perf_counter())
    return np.diff(times).tolist()


def _wait() -> None:
    if paddle.device.get_device() != "cpu":
        paddle.device.synchronize()


def _endless(reader: Any) -> Any:
    for epoch in itertools.count():
        reader.set_epoch(epoch)
        yield from reader


def _peak_memory_mb() -> float:
    if paddle.device.get_device() != "cpu":
        return paddle.device.cuda.max_memory_reserved() / 2**20
    if os.path.exists("/proc/self/status"):
        with open("/proc/self/status", encoding="utf-8") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
    return float("nan")
