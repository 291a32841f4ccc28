"""Callbacks of a training run: what happens around its iterations.

The trainer calls every callback in order::

    before_training(run)
    for each epoch:
        for each iteration:  after_step(run, losses, times)
        after_epoch(run)
    after_training(run)          # also after an interruption, not after an error
"""

from __future__ import annotations

import statistics
from collections import deque
from dataclasses import dataclass
from typing import Any, Callable, Deque, Dict, List, Mapping, Optional, Protocol

from ppdet.core.errors import ConfigError
from ppdet.core.logger import get_logger
from ppdet.engine import distributed
from ppdet.engine.training.state import TrainingState
from ppdet.engine.training.train_step import StepLosses, TrainingError, TrainStep

_log = get_logger(__name__)

DIVERGED = 1e3  # a loss above this multiple of the usual one
EARLY_DIVERGED = 1e6  # the same while fewer than `ENOUGH` losses are known
WINDOW, ENOUGH = 200, 5
PATIENCE = 100  # iterations that a diverged loss may take to come back


class TrainingRun(Protocol):
    """The part of `ppdet.engine.training.trainer.Trainer` that callbacks use."""

    step: TrainStep
    reader: Any
    epochs: int
    state: TrainingState


@dataclass(frozen=True)
class StepTimes:
    """Seconds of one iteration (waiting for the batch, and in total), and the number of images in this process."""

    data: float
    whole: float
    images: int


class Callback:
    """Base class; does nothing. Slow work belongs in `after_epoch`, where it does not distort the timers."""

    def before_training(self, run: TrainingRun) -> None:
        """Called once, after resuming a checkpoint."""

    def after_step(self, run: TrainingRun, losses: StepLosses, times: StepTimes) -> None:
        """Called after each iteration; `run.state.step` counts the finished iterations. Reading `losses` may wait for the
        device."""

    def after_epoch(self, run: TrainingRun) -> None:
        """Called after each complete epoch; `run.state.epoch` counts the finished epochs."""

    def after_training(self, run: TrainingRun) -> None:
        """Called at the end of the run, complete or interrupted (`run.state.stop`)."""


class Evaluation(Callback):
    """Evaluate every `every` epochs and after the last; keep track of the best result. Ties go to the later epoch.

    For `EarlyStop` a tie is no improvement.

    Args:
        evaluate: returns the figures of the current weights, on every process.
        main: name of the figure that selects the best model.
        every: epochs between evaluations.
        higher_is_better: False for errors.
    """

    def __init__(
        self, evaluate: Callable[[], Mapping[str, float]], main: str, every: int = 1, higher_is_better: bool = True
    ) -> None:
        self.evaluate, self.main, self.every, self.higher_is_better = evaluate, main, every, higher_is_better
        self.results: Optional[Dict[str, float]] = None
        self.is_best = False

    def after_epoch(self, run: TrainingRun) -> None:
        """Evaluate if due, with the averaged weights if there are any."""
        self.results, self.is_best = None, False
        if run.state.epoch % self.every and run.state.epoch != run.epochs:
            return
        average = run.step.average
        if average is not None:
            average.swap()
        try:
            self.results = dict(self.evaluate())
        finally:
            if average is not None:
                average.swap()
            run.step.model.train()
        if self.results:
            self._compare(run)

    def _compare(self, run: TrainingRun) -> None:
        assert self.results is not None
        if self.main not in self.results:
            raise ConfigError(
                f"the metric gave no {self.main!r}, which selects the best model; it gave {', '.join(sorted(self.results))}"
            )
        state, value = run.state, float(self.results[self.main])
        if state.metric not in ("", self.main):  # a resumed run that selects by another figure: the values do not compare
            state.best, state.evaluations_since_best = None, 0
        better = state.best is None or (value > state.best if self.higher_is_better else value < state.best)
        better = better and value == value  # nan, from an evaluation without samples, is never best
        # The later epoch has trained longer, and at an AP of 0 nothing else tells two epochs apart.
        self.is_best = bool(better or value == state.best)
        state.metric = self.main
        state.evaluations_since_best = 0 if better else state.evaluations_since_best + 1
        if self.is_best:
            state.best, state.best_epoch = value, state.epoch
        if state.best is not None:
            _log.info("%s %.4f; best %.4f after epoch %d", self.main, value, state.best, state.best_epoch)
            if "keypoint" in self.main.lower() or self.main == "AP":
                _log.info("Best test keypoint ap is %.3f.", state.best)


class EarlyStop(Callback):
    """Ends training after `patience` evaluations in a row without improvement; must come after `Evaluation`."""

    def __init__(self, patience: int) -> None:
        if not isinstance(patience, int) or isinstance(patience, bool) or patience < 1:
            raise ConfigError(f"early_stop.patience is a number of evaluations, 1 or more; got {patience!r}")
        self.patience = patience

    @classmethod
    def from_config(cls, section: Any) -> EarlyStop:
        """Create it from the key `early_stop: {patience: n}` or `early_stop: n`."""
        if isinstance(section, int):
            return cls(section)
        if not isinstance(section, Mapping) or set(section) != {"patience"}:
            raise ConfigError(f"early_stop is {{patience: number of evaluations}}, got {section!r}")
        return cls(section["patience"])

    def before_training(self, run: TrainingRun) -> None:
        """End a resumed run that this had ended before."""
        if run.state.metric:
            self.after_epoch(run)

    def after_epoch(self, run: TrainingRun) -> None:
        """Check the state that `Evaluation` updated."""
        state = run.state
        if state.evaluations_since_best >= self.patience:
            best = "which never was a number" if state.best is None else f"best {state.best:.4f} after epoch {state.best_epoch}"
            state.stop = f"no better {state.metric} in {self.patience} evaluations ({best})"


class LossWatch(Callback):
    """Detects a loss that diverges while still finite.

    Warns once when the loss exceeds `DIVERGED` times the median of the previous iterations, and ends training if it has not
    come back after `PATIENCE` iterations or by the end of the last epoch. Must come before `Checkpointer`, so that broken
    weights do not become `model_final`.

    Raises (in `after_step` and `after_epoch`):
        TrainingError: training diverged.
    """

    def __init__(self) -> None:
        self._usual: Deque[float] = deque(maxlen=WINDOW)
        self._waiting: List[Any] = []
        self._diverged_since: Optional[int] = None
        self._first = 0.0
        self._warned = False

    def after_step(self, run: TrainingRun, losses: StepLosses, times: StepTimes) -> None:
        """Check the losses that have arrived from the device."""
        self._waiting.append((run.state.step, losses))
        if not getattr(losses, "ready", True):
            return
        waiting, self._waiting = self._waiting, []
        for step, values in waiting:
            if not getattr(values, "skipped", False):
                self._look_at(step, float(values["loss"]))

    def after_epoch(self, run: TrainingRun) -> None:
        """Raise if the run ends with a diverged model."""
        if self._diverged_since is not None and run.state.epoch >= run.epochs:
            raise self._error(run.state.step)

    def _look_at(self, step: int, loss: float) -> None:
        enough = len(self._usual) >= ENOUGH
        usual = abs(statistics.median(self._usual)) if self._usual else 0.0
        if not loss > (DIVERGED if enough else EARLY_DIVERGED) * usual > 0:
            self._diverged_since = None
            self._usual.append(loss)
            return
        if self._diverged_since is None:
            self._diverged_since, self._first = step, loss
        if not self._warned:
            self._warned = True
            if distributed.is_main():
                _log.warning(
                    "the loss is %.3g at iteration %d, usually %.3g before: training diverges. A lower LearningRate.base_lr or a "
                    "longer warm-up helps; checkpoints from here on are probably useless",
                    loss, step, usual,
                )  # fmt: skip
        if step - self._diverged_since >= PATIENCE:
            raise self._error(step)

    def _error(self, step: int) -> TrainingError:
        usual = statistics.median(self._usual)
        return TrainingError(
            f"training diverged: the loss jumped from about {usual:.3g} to {self._first:.3g} at iteration "
            f"{self._diverged_since} and had not come back at iteration {step}. Checkpoints from before are untouched. Start "
            "again, or resume one of them, with a lower learning rate (-o LearningRate.base_lr=...) or a longer warm-up"
        )
