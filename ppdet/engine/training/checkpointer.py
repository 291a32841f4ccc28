"""Writes checkpoints during training."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, List, Optional

from ppdet.core.logger import get_logger
from ppdet.engine import distributed
from ppdet.engine.training.callbacks import Callback, Evaluation, TrainingRun
from ppdet.engine.training.files import save_checkpoint
from ppdet.engine.weights.checkpoint import load_pdparams, save_pdparams

_log = get_logger(__name__)


class Checkpointer(Callback):
    """Writes, on the first process:

    `<epoch>.*` every `every` epochs, numbered from 0 as PaddleDetection does; `model_final.*` after the last;
    `best_model.*` and `best_model/model.pdparams` after the best evaluation so far; `interrupted.*` when stopped within an epoch.

    Args:
        folder: output folder.
        every: epochs between checkpoints.
        evaluation: the callback that tracks the best model; must come before this one.
    """

    def __init__(self, folder: Path, every: int = 1, evaluation: Optional[Evaluation] = None) -> None:
        self.folder, self.every, self.evaluation = Path(folder), every, evaluation
        self.written: Dict[str, Path] = {}
        self._saved_at = -1

    def after_epoch(self, run: TrainingRun) -> None:
        """Save the checkpoints that are due."""
        if run.step.average is not None:
            run.step.average.end_epoch(run.state.epoch)
        if not distributed.is_main():
            return
        if self.evaluation is not None and self.evaluation.is_best:
            self._save_best(run)
        if run.state.epoch == run.epochs or run.state.stop:
            self._save(run, "model_final")
        elif run.state.epoch % self.every == 0:
            self._save(run, str(run.state.epoch - 1))

    def after_training(self, run: TrainingRun) -> None:
        """Save a checkpoint of an interrupted run."""
        if distributed.is_main() and run.state.stop and run.state.step != self._saved_at:
            path = self._save(run, "interrupted")
            _log.info("Continue this run with: --resume %s", path.with_suffix(""))

    def _save(self, run: TrainingRun, name: str) -> Path:
        path = save_checkpoint(self.folder, name, run.step, run.state)
        self.written[name] = path
        self._saved_at = run.state.step
        if name == "model_final":
            self._remove("interrupted")
        _log.info("Save checkpoint: %s", path)
        return path

    def _save_best(self, run: TrainingRun) -> None:
        path = save_checkpoint(self.folder, "best_model", run.step, run.state)
        save_pdparams(load_pdparams(path), self.folder / "best_model" / "model.pdparams")
        self.written["best_model"] = path
        _log.info("Save checkpoint: %s", path)

    def _remove(self, name: str) -> None:
        for path in sorted(self.folder.glob(f"{name}.pd*")):
            path.unlink()
        self.written.pop(name, None)

    def summary(self) -> List[str]:
        """Lines for the end of the run: the main files that were written."""
        titles = {"model_final": "last model", "best_model": "best model", "interrupted": "interrupted here"}
        return [f"{title}: {self.written[name]}" for name, title in titles.items() if name in self.written]
