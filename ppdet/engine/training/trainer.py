"""The training loop.

Everything that is no part of an iteration, from log lines to checkpoints, is a callback (`ppdet.engine.training.callbacks`).
A run made from a configuration is in `ppdet.engine.training.run`.
"""

from __future__ import annotations

import itertools
import time
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence

from ppdet.core.errors import ConfigError
from ppdet.engine.training.callbacks import Callback, StepTimes
from ppdet.engine.training.interrupt import Interrupt
from ppdet.engine.training.state import TrainingState
from ppdet.engine.training.train_step import TrainStep
from ppdet.engine.training.training_error import TrainingError


class Trainer:
    """Runs a `TrainStep` over the batches of a reader, epoch by epoch.

    Args:
        step: one iteration.
        reader: `len(reader)` batches an epoch, `reader.set_epoch(e)` before each, then iterated.
        epochs: epochs to train in all.
        callbacks: called in this order.
        state: where to begin; the start of a run if None.
        accumulate: batches whose gradients are averaged for one update of the weights; at the end of an epoch the rest makes
            one update. Batch norm sees single batches. The schedule counts batches.

    Raises:
        ConfigError: `accumulate` is not a positive integer, or the reader has no batch.
    """

    def __init__(
        self,
        step: TrainStep,
        reader: Any,
        epochs: int,
        callbacks: Sequence[Callback] = (),
        state: Optional[TrainingState] = None,
        accumulate: int = 1,
    ) -> None:
        if not isinstance(accumulate, int) or accumulate < 1:
            raise ConfigError(f"accumulate_steps is a number of batches from 1 on, got {accumulate!r}")
        if len(reader) == 0:
            raise ConfigError("the training reader gives no batch; the dataset may be smaller than TrainReader.batch_size")
        self.step, self.reader, self.epochs = step, reader, epochs
        self.callbacks: List[Callback] = list(callbacks)
        self.state = state or TrainingState()
        self.accumulate = accumulate
        self._interrupt = Interrupt()

    def train(self) -> TrainingState:
        """Train to the last epoch, or until interrupted or stopped by a callback (`state.stop` says why).

        Raises:
            TrainingError: a loss is not finite; names the iteration and the images.
        """
        self.step.model.train()
        for callback in self.callbacks:
            callback.before_training(self)
        with self._interrupt:
            while self.state.epoch < self.epochs and not self.state.stop:
                self._run_epoch()
            # Still within: Paddle's launcher sends SIGTERM three times, and the later ones must not end the saving.
            for callback in self.callbacks:
                callback.after_training(self)
        return self.state

    def _run_epoch(self) -> None:
        for batch, data_seconds in self._batches():
            started = time.perf_counter()
            losses = self._train_on(batch)
            self.state.step += 1
            self.state.batch += 1
            whole = data_seconds + time.perf_counter() - started
            times = StepTimes(data=data_seconds, whole=whole, images=len(batch["image"]))
            for callback in self.callbacks:
                callback.after_step(self, losses, times)
            if self._may_stop_here() and self._interrupt.agreed():
                self.state.stop = self._interrupt.reason
            if self.state.stop:
                break
        if self.state.stop and self.state.batch < len(self.reader):
            return
        self.state.epoch, self.state.batch = self.state.epoch + 1, 0
        self.step.agree_on_statistics()
        for callback in self.callbacks:
            callback.after_epoch(self)
        if self._interrupt.agreed():
            self.state.stop = self._interrupt.reason

    def _may_stop_here(self) -> bool:
        """Within an epoch and with no gradients waiting for an update, which a checkpoint does not hold."""
        return self.state.batch < len(self.reader) and self.state.batch % self.accumulate == 0

    def _batches(self) -> Iterator[Any]:
        """(batch, seconds waited for it) for the rest of the epoch."""
        self.reader.set_epoch(self.state.epoch)
        batches = itertools.islice(iter(self.reader), self.state.batch, None)
        while True:
            started = time.perf_counter()
            try:
                batch = next(batches)
            except StopIteration:
                return
            except Exception:
                if self._interrupt.reason:  # Ctrl-C reaches the reader's worker processes, too
                    self.state.stop = self._interrupt.reason
                    return
                raise
            yield batch, time.perf_counter() - started

    def _train_on(self, batch: Mapping[str, Any]) -> Dict[str, float]:
        first = self.state.batch // self.accumulate * self.accumulate
        size = min(self.accumulate, len(self.reader) - first)
        try:
            return self.step(batch, share=1.0 / size, update=self.state.batch == first + size - 1)
        except TrainingError as error:
            raise TrainingError(f"{error}\n{self._where(batch)}") from None

    def _where(self, batch: Mapping[str, Any]) -> str:
        dataset = getattr(self.reader, "dataset", None)
        if hasattr(dataset, "image_path") and "index" in batch:
            images = [str(dataset.image_path(int(index))) for index in batch["index"]]
        else:
            images = [str(item) for item in batch.get("image_id", ())]
        shown = ", ".join(images[:8]) + (f" and {len(images) - 8} more" if len(images) > 8 else "")
        return (
            f"epoch {self.state.epoch}, batch {self.state.batch}; images: {shown or 'unknown'}.\n"
            "Checkpoints written so far are untouched. Usual reasons: a learning rate too high for the batch size, "
            "broken labels, or float16 overflow (try without --amp)."
        )
