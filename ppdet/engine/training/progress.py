"""Shows the progress of training: log lines in PaddleDetection's format, which scripts parse, and a bar on a terminal."""

from __future__ import annotations

import sys
from collections import deque
from datetime import timedelta
from typing import Any, Deque, List, Optional

import paddle

from ppdet.core.logger import get_logger
from ppdet.engine import distributed
from ppdet.engine.training.callbacks import Callback, StepTimes, TrainingRun
from ppdet.engine.training.train_step import StepLosses, mean_losses
from ppdet.inference.progress import Progress as Bar

_log = get_logger(__name__)


class Progress(Callback):
    """One line every `every` iterations; on a terminal also a bar for the epoch.

        Epoch: [e] [ i/N] learning_rate: ... loss: ... eta: d, h:mm:ss batch_cost: s data_cost: s ips: n images/s

    Losses and times are means since the previous line; `ips` is per process, as in PaddleDetection.
    """

    def __init__(self, every: int = 20) -> None:
        self.every = max(1, int(every))
        self._terminal = sys.stderr.isatty()
        self._recent: Deque[StepTimes] = deque(maxlen=200)
        self._since: List[Any] = []
        self._bar: Optional[Bar] = None
        self._rate = 0.0

    def before_training(self, run: TrainingRun) -> None:
        """Record the learning rate of the first iteration."""
        self._rate = run.step.learning_rate

    def after_step(self, run: TrainingRun, losses: StepLosses, times: StepTimes) -> None:
        """Log a line every `every` iterations, and move the bar."""
        if not distributed.is_main():
            return
        self._recent.append(times)
        self._since.append((losses, times))
        last = run.state.batch == len(run.reader)
        if (run.state.batch - 1) % self.every == 0 or last:
            if self._bar is not None:
                self._bar.clear()
            _log.info("%s", self._line(run))
            self._since = []
        self._rate = run.step.learning_rate
        self._move_bar(run, last)

    def after_training(self, run: TrainingRun) -> None:
        """Remove the bar from the terminal."""
        self._close_bar()

    def _line(self, run: TrainingRun) -> str:
        width = len(str(len(run.reader)))
        means = mean_losses([losses for losses, _ in self._since])
        batch_cost = sum(times.whole for _, times in self._since) / len(self._since)
        data_cost = sum(times.data for _, times in self._since) / len(self._since)
        images = sum(times.images for _, times in self._since) / len(self._since)
        shown = " ".join(f"{name}: {means[name]:.6f}" for name in sorted(means, key=lambda name: (name == "loss", name)))
        line = (
            f"Epoch: [{run.state.epoch}] [{run.state.batch - 1:{width}d}/{len(run.reader)}] "
            f"learning_rate: {self._rate:.6f} {shown} eta: {self._eta(run)} "
            f"batch_cost: {batch_cost:.4f} data_cost: {data_cost:.4f} ips: {images / batch_cost:.4f} images/s"
        )
        if paddle.device.get_device() != "cpu":
            used = [paddle.device.cuda.max_memory_reserved(), paddle.device.cuda.max_memory_allocated()]
            line += f", max_mem_reserved: {used[0] >> 20} MB, max_mem_allocated: {used[1] >> 20} MB"
        return line

    def _eta(self, run: TrainingRun) -> str:
        mean = sum(times.whole for times in self._recent) / len(self._recent)
        left = (run.epochs - run.state.epoch) * len(run.reader) - run.state.batch
        return str(timedelta(seconds=int(mean * left)))

    def _move_bar(self, run: TrainingRun, last: bool) -> None:
        if not self._terminal:
            return
        if self._bar is None:
            self._bar = Bar(f"epoch {run.state.epoch}", len(run.reader), "batch")
            self._bar.step(run.state.batch - 1)
        self._bar.step()
        if last:
            self._close_bar()

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
