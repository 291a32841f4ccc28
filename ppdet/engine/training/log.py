"""Logs the history of a run: as a JSON-lines file with a plot, and for VisualDL."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Dict, List, Optional

from ppdet.core.errors import ConfigError
from ppdet.core.files import atomic_write
from ppdet.core.logger import get_logger
from ppdet.engine import distributed
from ppdet.engine.training.callbacks import Callback, Evaluation, StepTimes, TrainingRun
from ppdet.engine.training.curves import curves_drawable, draw_curves
from ppdet.engine.training.train_step import StepLosses, mean_losses

_log = get_logger(__name__)
LOG_FILE = "train_log.jsonl"
CURVES_FILE = "curves.png"


class TrainingLog(Callback):
    """Writes `train_log.jsonl` while training and, if matplotlib is installed, `curves.png` after each epoch.

    Lines of kind "train" hold means over `every` iterations (epoch, step, learning_rate, losses, images_per_s); lines of kind
    "eval" the figures after an epoch. A resumed run drops the lines after the point that it continues from, and appends. Goes
    before the checkpointer, so that a run that is killed in between has lines too many, and not too few.

    Args:
        folder: the run's folder.
        every: iterations per line.
        evaluation: goes before this callback, if there is one.
    """

    def __init__(self, folder: Path, every: int = 20, evaluation: Any = None) -> None:
        self.folder, self.every = Path(folder), max(1, int(every))
        self.evaluation: Evaluation = evaluation
        self._since: List[Any] = []
        self._rate = 0.0

    @property
    def path(self) -> Path:
        """The log file."""
        return self.folder / LOG_FILE

    def before_training(self, run: TrainingRun) -> None:
        """Drop the lines after the point where this run starts."""
        self._rate = run.step.learning_rate
        if distributed.is_main() and self.path.exists():
            kept = [line for line in read_log(self.path) if line["step"] <= run.state.step]
            with atomic_write(self.path) as file:
                file.writelines(json.dumps(line) + "\n" for line in kept)

    def after_step(self, run: TrainingRun, losses: StepLosses, times: StepTimes) -> None:
        """Collect losses; write a line every `every` iterations."""
        self._since.append((losses, times))
        if run.state.step % self.every == 0 or run.state.batch == len(run.reader):
            self._write_train(run)
        self._rate = run.step.learning_rate

    def after_epoch(self, run: TrainingRun) -> None:
        """Write the figures of the evaluation, and draw the curves."""
        results = self.evaluation.results if self.evaluation is not None else None
        if results:
            self._write({"kind": "eval", "epoch": run.state.epoch, "step": run.state.step, **results})
        if distributed.is_main():
            self._draw()

    def after_training(self, run: TrainingRun) -> None:
        """Write the remaining losses."""
        if self._since:
            self._write_train(run)
        if distributed.is_main():
            self._draw()

    def _write_train(self, run: TrainingRun) -> None:
        line: Dict[str, Any] = {"kind": "train", "epoch": run.state.epoch, "step": run.state.step}
        line["learning_rate"] = self._rate
        line.update(mean_losses([losses for losses, _ in self._since]))
        seconds = sum(times.whole for _, times in self._since)
        images = sum(times.images for _, times in self._since) * distributed.world_size()
        line["images_per_s"] = round(images / max(seconds, 1e-9), 3)
        self._since = []
        self._write(line)

    def _write(self, line: Dict[str, Any]) -> None:
        if distributed.is_main():
            line["time"] = round(time.time(), 3)
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")

    def _draw(self) -> None:
        lines = read_log(self.path) if self.path.exists() else []
        if any(line["kind"] == "train" for line in lines) and curves_drawable():
            draw_curves(lines, self.folder / CURVES_FILE, title=self.folder.name)


class VisualDLLog(Callback):
    """Writes scalars below `folder` (flags `--use_vdl --vdl_log_dir`); view them with `visualdl --logdir <folder>`.

    Args:
        folder: log folder of VisualDL.
        every: iterations between points.
        evaluation: goes before this callback, if there is one.

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

    def after_step(self, run: TrainingRun, losses: StepLosses, times: StepTimes) -> None:
        """Write the losses of this iteration."""
        if self._writer is not None and run.state.step % self.every == 0 and not losses.skipped:
            for name, value in losses.items():
                self._writer.add_scalar(f"train/{name}", value, run.state.step)
            self._writer.add_scalar("train/learning_rate", run.step.learning_rate, run.state.step)

    def after_epoch(self, run: TrainingRun) -> None:
        """Write the figures of the evaluation."""
        if self._writer is not None and self.evaluation is not None:
            for name, value in (self.evaluation.results or {}).items():
                self._writer.add_scalar(f"eval/{name}", value, run.state.step)

    def after_training(self, run: TrainingRun) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()


def read_log(path: Path) -> List[Dict[str, Any]]:
    """The lines of a `train_log.jsonl`, without an incomplete last line."""
    lines = []
    for text in Path(path).read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(text))
        except ValueError:
            _log.warning("%s: a line that is no JSON was left out", path)
    return lines
