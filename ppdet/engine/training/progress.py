"""Lines that say how training goes, in PaddleDetection's format, which people's scripts read."""

from __future__ import annotations

import sys
from collections import deque
from datetime import timedelta
from typing import Deque, Dict

import paddle

from ppdet.core.logger import get_logger
from ppdet.engine import distributed
from ppdet.engine.training.callbacks import Callback, StepTimes
from ppdet.engine.training.trainer import Trainer

_log = get_logger(__name__)
_BAR = 24


class Progress(Callback):
    """One line every `every` iterations; on a terminal also a bar that moves with every iteration.

        Epoch: [e] [ i/N] learning_rate: ... loss: ... eta: d, h:mm:ss batch_cost: s data_cost: s ips: n images/s

    Losses and times are means since the line before; `ips` is per process, as PaddleDetection's.
    """

    def __init__(self, every: int = 20) -> None:
        self.every = max(1, int(every))
        self._terminal = sys.stderr.isatty()
        self._recent: Deque[StepTimes] = deque(maxlen=200)
        self._since: list = []
        self._rate = 0.0

    def before_training(self, run: Trainer) -> None:
        """Note the rate of the first iteration."""
        self._rate = run.step.learning_rate

    def after_step(self, run: Trainer, losses: Dict[str, float], times: StepTimes) -> None:
        """Print when it is time."""
        if not distributed.is_main():
            return
        self._recent.append(times)
        self._since.append((losses, times))
        last = run.state.batch == len(run.reader)
        if (run.state.batch - 1) % self.every == 0 or last:
            self._clear_bar()
            _log.info("%s", self._line(run))
            self._since = []
        self._rate = run.step.learning_rate
        if not last:
            self._draw_bar(run)

    def after_training(self, run: Trainer) -> None:
        """Leave the terminal clean."""
        self._clear_bar()

    def _line(self, run: Trainer) -> str:
        width = len(str(len(run.reader)))
        names = sorted(self._since[-1][0], key=lambda name: (name == "loss", name))
        means = {name: sum(losses[name] for losses, _ in self._since) / len(self._since) for name in names}
        batch_cost = sum(times.whole for _, times in self._since) / len(self._since)
        data_cost = sum(times.data for _, times in self._since) / len(self._since)
        images = sum(times.images for _, times in self._since) / len(self._since)
        shown = " ".join(f"{name}: {value:.6f}" for name, value in means.items())
        line = (
            f"Epoch: [{run.state.epoch}] [{run.state.batch - 1:{width}d}/{len(run.reader)}] "
            f"learning_rate: {self._rate:.6f} {shown} eta: {self._eta(run)} "
            f"batch_cost: {batch_cost:.4f} data_cost: {data_cost:.4f} ips: {images / batch_cost:.4f} images/s"
        )
        if paddle.device.get_device() != "cpu":
            used = [paddle.device.cuda.max_memory_reserved(), paddle.device.cuda.max_memory_allocated()]
            line += f", max_mem_reserved: {used[0] >> 20} MB, max_mem_allocated: {used[1] >> 20} MB"
        return line

    def _eta(self, run: Trainer) -> str:
        mean = sum(times.whole for times in self._recent) / len(self._recent)
        left = (run.epochs - run.state.epoch) * len(run.reader) - run.state.batch
        return str(timedelta(seconds=int(mean * left)))

    def _draw_bar(self, run: Trainer) -> None:
        if self._terminal:
            done = run.state.batch / len(run.reader)
            filled = "#" * int(done * _BAR)
            text = f"\r[{filled:<{_BAR}}] epoch {run.state.epoch} {run.state.batch}/{len(run.reader)} eta {self._eta(run)} "
            sys.stderr.write(text)
            sys.stderr.flush()

    def _clear_bar(self) -> None:
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
