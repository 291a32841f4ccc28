"""Losses, rates and figures for VisualDL."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ppdet.core.errors import ConfigError
from ppdet.engine import distributed
from ppdet.engine.training.callbacks import Callback, Evaluation, StepTimes
from ppdet.engine.training.trainer import Trainer


class VisualDLLog(Callback):
    """Writes scalars below `folder` (flags `--use_vdl --vdl_log_dir`); look at them with `visualdl --logdir <folder>`.

    Args:
        folder: log folder of VisualDL.
        every: iterations between points.
        evaluation: stands before this callback, if there is one.

    Raises:
        ConfigError: VisualDL is not installed.
    """

    def __init__(self, folder: str, every: int = 20, evaluation: Optional[Evaluation] = None) -> None:
        self.every, self.evaluation = max(1, int(every)), evaluation
        self._writer: Any = None
        if distributed.is_main():
            try:
                from visualdl import LogWriter
            except ImportError as error:
                raise ConfigError(f"--use_vdl needs VisualDL ({error}); pip install visualdl, or leave the flag out") from error
            self._writer = LogWriter(folder)

    def after_step(self, run: Trainer, losses: Dict[str, float], times: StepTimes) -> None:
        """Write the losses of this iteration."""
        if self._writer is not None and run.state.step % self.every == 0:
            for name, value in losses.items():
                self._writer.add_scalar(f"train/{name}", value, run.state.step)
            self._writer.add_scalar("train/learning_rate", run.step.learning_rate, run.state.step)

    def after_epoch(self, run: Trainer) -> None:
        """Write the figures of the evaluation."""
        if self._writer is not None and self.evaluation is not None:
            for name, value in (self.evaluation.results or {}).items():
                self._writer.add_scalar(f"eval/{name}", value, run.state.step)

    def after_training(self, run: Trainer) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
