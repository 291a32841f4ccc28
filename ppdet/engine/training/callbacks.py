"""What may happen around the iterations of a training run.

The trainer calls, for every callback in order::

    before_training(run)
    for each epoch:
        for each iteration:  after_step(run, losses, times)
        after_epoch(run)
    after_training(run)          # also when training was interrupted, not when it failed
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Dict, Mapping, Optional

from ppdet.core.errors import ConfigError
from ppdet.core.logger import get_logger

if TYPE_CHECKING:
    from ppdet.engine.training.trainer import Trainer

_log = get_logger(__name__)


@dataclass(frozen=True)
class StepTimes:
    """Seconds of one iteration: waiting for the batch, and in all; and how many images it had in this process."""

    data: float
    whole: float
    images: int


class Callback:
    """Base of all callbacks; does nothing. Slow work belongs into `after_epoch`, where it does not distort the timers."""

    def before_training(self, run: Trainer) -> None:
        """Called once, after a checkpoint was resumed."""

    def after_step(self, run: Trainer, losses: Dict[str, float], times: StepTimes) -> None:
        """Called after each iteration; `run.state.step` iterations are done."""

    def after_epoch(self, run: Trainer) -> None:
        """Called after each complete epoch; `run.state.epoch` epochs are done."""

    def after_training(self, run: Trainer) -> None:
        """Called at the end, complete or interrupted (`run.state.stop`)."""


class Evaluation(Callback):
    """Evaluate every `every` epochs and after the last; keep track of the best, of equals the latest.

    For `EarlyStop` an equal is nothing better.

    Args:
        evaluate: returns the figures of the present weights, on every process.
        main: name of the figure that selects the best model.
        every: epochs from one evaluation to the next.
        higher_is_better: False for errors.
    """

    def __init__(
        self, evaluate: Callable[[], Mapping[str, float]], main: str, every: int = 1, higher_is_better: bool = True
    ) -> None:
        self.evaluate, self.main, self.every, self.higher_is_better = evaluate, main, every, higher_is_better
        self.results: Optional[Dict[str, float]] = None
        self.is_best = False

    def after_epoch(self, run: Trainer) -> None:
        """Evaluate if it is time; the averaged weights if there are any."""
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

    def _compare(self, run: Trainer) -> None:
        assert self.results is not None
        if self.main not in self.results:
            raise ConfigError(
                f"the metric gave no {self.main!r}, which selects the best model; it gave {', '.join(sorted(self.results))}"
            )
        state, value = run.state, float(self.results[self.main])
        better = state.best is None or (value > state.best if self.higher_is_better else value < state.best)
        better = better and value == value  # nan, from an evaluation without samples, is never best
        # Of equals the later is kept: it has learnt longer, and at an AP of 0 that is all there is to choose by.
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
    """End training when `patience` evaluations in a row brought nothing better; stands after `Evaluation`."""

    def __init__(self, patience: int) -> None:
        if not isinstance(patience, int) or patience < 1:
            raise ConfigError(f"early_stop.patience is a number of evaluations from 1 on, got {patience!r}")
        self.patience = patience

    @classmethod
    def from_config(cls, section: Any) -> EarlyStop:
        """From the key `early_stop: {patience: n}`, or `early_stop: n`."""
        if isinstance(section, int):
            return cls(section)
        if not isinstance(section, Mapping) or set(section) != {"patience"}:
            raise ConfigError(f"early_stop is {{patience: number of evaluations}}, got {section!r}")
        return cls(section["patience"])

    def after_epoch(self, run: Trainer) -> None:
        """Look at the state that `Evaluation` left."""
        if run.state.evaluations_since_best >= self.patience:
            run.state.stop = (
                f"no better {run.state.metric} in {self.patience} evaluations "
                f"(best {run.state.best:.4f} after epoch {run.state.best_epoch})"
            )
