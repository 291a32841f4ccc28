"""The training loop.

Everything else, from log lines to checkpoints, is a callback (`ppdet.engine.training.callbacks`). `ppdet.engine.training.run`
sets up a run from a config.
"""

from __future__ import annotations

import itertools
import time
from typing import Any, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ppdet.core.errors import ConfigError
from ppdet.engine import distributed
from ppdet.engine.training.callbacks import Callback, StepTimes
from ppdet.engine.training.interrupt import Interrupt
from ppdet.engine.training.skipped_batches import SkippedBatches
from ppdet.engine.training.state import TrainingState
from ppdet.engine.training.train_step import StepLosses, TrainingError, TrainStep, not_finite


class _Place(NamedTuple):
    """Position of a batch in the run, and its image ids."""

    iteration: int
    epoch: int
    batch: int
    names: Mapping[str, Any]


class Trainer:
    """Runs a `TrainStep` over the batches of a reader, epoch by epoch.

    Args:
        step: one iteration.
        reader: `len(reader)` batches per epoch; `reader.set_epoch(e)` is called before each epoch, then it is iterated.
        epochs: total number of epochs.
        callbacks: called in this order.
        state: state to start from; None for a new run.
        accumulate: number of batches whose gradients are averaged for one update of the weights; at the end of an epoch it may
            be fewer. Batch norm sees single batches, and the schedule counts batches.
        look_every: on a GPU, iterations between checks of the losses. In between, nothing waits for the device; a loss that is
            not finite and an interruption are noticed up to that much later.
        skipped: keeps the batches that a step with `skip_bad_losses` skips.

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
        look_every: int = 1,
        skipped: Optional[SkippedBatches] = None,
    ) -> None:
        if not isinstance(accumulate, int) or accumulate < 1:
            raise ConfigError(f"accumulate_steps is a number of batches 1 or more; got {accumulate!r}")
        if len(reader) == 0:
            raise ConfigError("the training reader gives no batch; the dataset may be smaller than TrainReader.batch_size")
        self.step, self.reader, self.epochs = step, reader, epochs
        self.callbacks: List[Callback] = list(callbacks)
        self.state = state or TrainingState()
        self.accumulate = accumulate
        self.look_every = 1 if step.checks_losses else max(1, int(look_every))
        self.skipped = skipped
        self._interrupt = Interrupt()
        self._unread: List[Tuple[StepLosses, _Place]] = []
        self._last_batch: Optional[Mapping[str, Any]] = None

    def train(self) -> TrainingState:
        """Train to the last epoch, or until interrupted or stopped by a callback (`state.stop` is the reason).

        Raises:
            TrainingError: a loss is not finite; the message names the iteration and the images.
        """
        self.step.model.train()
        for callback in self.callbacks:
            callback.before_training(self)
        with self._interrupt:
            while self.state.epoch < self.epochs and not self.state.stop:
                self._run_epoch()
            # Signals are still caught here: Paddle's launcher sends SIGTERM three times, and the later ones must not interrupt
            # saving.
            for callback in self.callbacks:
                callback.after_training(self)
        return self.state

    def _run_epoch(self) -> None:
        for batch, data_seconds in self._batches():
            started = time.perf_counter()
            losses = self._train_on(batch)
            self.state.step += 1
            self.state.batch += 1
            look = self._looks_now()
            if look:
                self._read_losses()
            whole = data_seconds + time.perf_counter() - started
            times = StepTimes(data=data_seconds, whole=whole, images=len(batch["image"]))
            for callback in self.callbacks:
                callback.after_step(self, losses, times)
            if look and self._may_stop_here() and self._interrupt.agreed():
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
        """Whether no accumulated gradients wait for an update; a checkpoint does not contain those."""
        return self.state.batch < len(self.reader) and self.state.batch % self.accumulate == 0

    def _looks_now(self) -> bool:
        """Whether to wait for the device: every `look_every` iterations, on every process, when a line is logged anyway."""
        every, batch = self.look_every, self.state.batch
        return (batch - 1) % every == 0 or self.state.step % every == 0 or batch == len(self.reader)

    def _read_losses(self) -> None:
        unread, self._unread = self._unread, []
        StepLosses.fetch([losses for losses, _ in unread])
        for losses, place in unread:
            if not losses.finite:
                raise TrainingError(f"{not_finite(losses, place.iteration)}\n{self._advice(place)}")

    def _batches(self) -> Iterator[Any]:
        """(batch, seconds spent waiting for it) for the rest of the epoch."""
        self.reader.set_epoch(self.state.epoch)
        batches: Iterator[Any] = itertools.islice(iter(self.reader), self.state.batch, None)
        while self.state.batch < len(self.reader):
            started = time.perf_counter()
            try:
                batch = next(batches)
            except StopIteration:
                return
            except Exception:
                # Ctrl-C also reaches the reader's worker processes. The other ranks learn of the interruption only in `agreed`,
                # so this rank has to take part in iterations until then, and repeats its last batch.
                if self._interrupt.reason and distributed.world_size() == 1:
                    self.state.stop = self._interrupt.reason
                    return
                if not self._interrupt.reason or self._last_batch is None:
                    raise
                batches = itertools.repeat(self._last_batch)
                continue
            self._last_batch = batch
            yield batch, time.perf_counter() - started

    def _train_on(self, batch: Mapping[str, Any]) -> StepLosses:
        first = self.state.batch // self.accumulate * self.accumulate
        size = min(self.accumulate, len(self.reader) - first)
        names = {key: batch[key] for key in ("index", "image_id") if key in batch}
        place = _Place(self.state.step, self.state.epoch, self.state.batch, names)
        try:
            losses = self.step(batch, loss_weight=1.0 / size, update=self.state.batch == first + size - 1)
        except TrainingError as error:
            raise TrainingError(f"{error}\n{self._advice(place)}") from None
        if self.skipped is not None:
            self.skipped.note(batch, losses, self.state, self._where(place))
        if not losses.ready:
            self._unread.append((losses, place))
        return losses

    def _advice(self, place: _Place) -> str:
        return (
            f"{self._where(place)}.\n"
            "Checkpoints written so far are untouched. Usual reasons: a learning rate too high for the batch size, "
            "broken labels, or float16 overflow (try without --amp). To leave such batches out and look at them later: -o "
            "bad_loss=skip."
        )

    def _where(self, place: _Place) -> str:
        dataset: Any = getattr(self.reader, "dataset", None)
        if hasattr(dataset, "image_path") and "index" in place.names:
            images = [str(dataset.image_path(int(index))) for index in place.names["index"]]
        else:
            images = [str(item) for item in place.names.get("image_id", ())]
        shown = ", ".join(images[:8]) + (f" and {len(images) - 8} more" if len(images) > 8 else "")
        return f"epoch {place.epoch}, batch {place.batch}; images: {shown or 'unknown'}"
