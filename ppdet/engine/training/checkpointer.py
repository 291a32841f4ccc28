"""Writes checkpoints during training."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, List, Optional

from ppdet.core.logger import get_logger
from ppdet.engine import distributed
from ppdet.engine.training.callbacks import Callback, Evaluation, TrainingRun
from ppdet.engine.training.files import copy_checkpoint, remove_checkpoint, save_checkpoint, save_weights
from ppdet.engine.training.state import TrainingState

_log = get_logger(__name__)


class Checkpointer(Callback):
    """Writes, on the first process:

    `<epoch>.*` every `every` epochs, numbered from 0 as PaddleDetection does; `model_final.*` after the last;
    `best_model.*` and `best_model/model.pdparams` after the best evaluation so far; `interrupted.*` when stopped within an epoch.

    A run that was killed between these files gets the missing ones when it is resumed.

    Args:
        folder: output folder.
        every: epochs between checkpoints.
        evaluation: the callback that tracks the best model; must come before this one.
        keep: numbered checkpoints to keep, the newest ones; None for all.
        resumed: the checkpoint that the run continues from, with the path of its files but for the suffix.
    """

    def __init__(
        self,
        folder: Path,
        every: int = 1,
        evaluation: Optional[Evaluation] = None,
        keep: Optional[int] = None,
        resumed: Optional[str] = None,
    ) -> None:
        self.folder, self.every, self.evaluation, self.keep, self.resumed = Path(folder), every, evaluation, keep, resumed
        self.written: Dict[str, Path] = {}
        self._saved_at = -1

    def before_training(self, run: TrainingRun) -> None:
        """Give the checkpoint that the run continues from the other names that are due at its place.

        A process that was killed at the end of an epoch may have written some of them only.
        """
        state = run.state
        if self.resumed is None or not distributed.is_main():
            return
        self._saved_at = state.step
        if state.batch or not state.epoch:
            return
        if self.evaluation is not None and state.best_epoch == state.epoch and self._step_of("best_model") != state.step:
            save_weights(self._best_weights, run.step)
            self.written["best_model"] = copy_checkpoint(self.resumed, self.folder, "best_model")
        name = self._due(run)
        if name and self._step_of(name) != state.step:
            self.written[name] = copy_checkpoint(self.resumed, self.folder, name)
        if name:
            self._tidy(name)

    def after_epoch(self, run: TrainingRun) -> None:
        """Save the checkpoints that are due."""
        if run.step.average is not None:
            run.step.average.end_epoch(run.state.epoch)
        if not distributed.is_main():
            return
        if self.evaluation is not None and self.evaluation.is_best:
            self._save_best(run)
        name = self._due(run)
        if name:
            self._save(run, name)

    def after_training(self, run: TrainingRun) -> None:
        """Save a checkpoint of an interrupted run."""
        if distributed.is_main() and run.state.stop and run.state.step != self._saved_at:
            path = self._save(run, "interrupted")
            _log.info("Continue this run with: --resume %s", path.with_suffix(""))

    @property
    def _best_weights(self) -> Path:
        return self.folder / "best_model" / "model.pdparams"

    def _due(self, run: TrainingRun) -> str:
        """Name of the checkpoint that belongs to the end of this epoch; empty for none."""
        if run.state.epoch >= run.epochs or run.state.stop:
            return "model_final"
        return "" if run.state.epoch % self.every else str(run.state.epoch - 1)

    def _step_of(self, name: str) -> int:
        """Iterations of a checkpoint; -1 if there is none."""
        path = self.folder / f"{name}.pdstates"
        return TrainingState.load(path).step if path.exists() else -1

    def _save(self, run: TrainingRun, name: str) -> Path:
        path = save_checkpoint(self.folder, name, run.step, run.state)
        self.written[name] = path
        self._saved_at = run.state.step
        self._tidy(name)
        _log.info("Save checkpoint: %s", path)
        return path

    def _save_best(self, run: TrainingRun) -> None:
        # The copy first: `best_model.pdstates` of this iteration then means that both are written.
        save_weights(self._best_weights, run.step)
        path = save_checkpoint(self.folder, "best_model", run.step, run.state)
        self.written["best_model"] = path
        _log.info("Save checkpoint: %s", path)

    def _tidy(self, name: str) -> None:
        """Remove what the checkpoint of this name makes superfluous."""
        if name == "model_final":
            remove_checkpoint(self.folder, "interrupted")
            self.written.pop("interrupted", None)
        if self.keep is not None:
            numbers = {path.name.split(".")[0] for path in self.folder.glob("[0-9]*.pd*")}
            for number in sorted((int(text) for text in numbers if text.isdigit()), reverse=True)[self.keep :]:
                remove_checkpoint(self.folder, str(number))

    def summary(self) -> List[str]:
        """Lines for the end of the run: the main files that were written."""
        titles = {"model_final": "last model", "best_model": "best model", "interrupted": "interrupted here"}
        return [f"{title}: {self.written[name]}" for name, title in titles.items() if name in self.written]
