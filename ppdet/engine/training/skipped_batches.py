"""Keeps what was in batches whose loss was not finite, for a look at them later, and ends a run that has too many."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping

import numpy as np

from ppdet.core.files import atomic_write
from ppdet.core.logger import get_logger
from ppdet.engine import distributed
from ppdet.engine.training.state import TrainingState
from ppdet.engine.training.train_step import StepLosses, TrainingError, not_finite

_log = get_logger(__name__)
FOLDER = "skipped"
MOST_IN_A_ROW = 10
MOST_FILES = 20


class SkippedBatches:
    """The batches that `bad_loss: skip` left out.

    Args:
        folder: of the run; `skipped/<iteration>.npz` in it gets the arrays of a batch (of rank r: `<iteration>-rank<r>.npz`), of
            at most `MOST_FILES` batches.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder) / FOLDER

    def note(self, batch: Mapping[str, Any], losses: StepLosses, state: TrainingState, where: str) -> None:
        """Count an iteration that was trained or skipped; write the batch, and a warning, if it was skipped.

        Args:
            batch: NumPy arrays.
            losses: of this iteration.
            state: before it is counted; changed in place.
            where: epoch, batch and images, for messages.

        Raises:
            TrainingError: `MOST_IN_A_ROW` iterations in a row were skipped.
        """
        if not losses.skipped:
            state.skipped_in_a_row = 0
            return
        state.skipped += 1
        state.skipped_in_a_row += 1
        what = not_finite(losses, state.step)
        file = self._write(batch, state.step) if state.skipped <= MOST_FILES else None
        if distributed.is_main():
            kept = f"its arrays are in {file}" if file else f"its arrays were not written, after {MOST_FILES} others"
            _log.warning("%s; this batch was skipped, and %s\n%s", what, kept, where)
        if state.skipped_in_a_row >= MOST_IN_A_ROW:
            raise TrainingError(
                f"{what}\n{where}\nThe batches of the {MOST_IN_A_ROW} iterations up to this one were all skipped, so it is not "
                f"the data of some: training has diverged, or all labels are broken. Look at {self.folder}; start again, or "
                "resume an earlier checkpoint, with a lower learning rate (-o LearningRate.base_lr=...)"
            )

    def _write(self, batch: Mapping[str, Any], iteration: int) -> Path:
        arrays = {name: value for name, value in batch.items() if isinstance(value, np.ndarray) and value.dtype.kind in "fiubU"}
        rank = f"-rank{distributed.rank()}" if distributed.world_size() > 1 else ""
        path = self.folder / f"{iteration:06d}{rank}.npz"
        with atomic_write(path, "wb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
        return path
