"""Ends a training when its time is up, at the end of its learning-rate curve.

The number of epochs that fit into a given time is known only while training: another program, another machine, or a bad
measurement would let a planned run take several times as long. After each epoch the time of the last ones says how many more
fit; the learning rate then falls faster along the same curve, so that the run ends at its lowest rate instead of in the middle.
"""

from __future__ import annotations

import math
import time
from collections import deque
from typing import Any, Callable, Deque, Mapping

import numpy as np

from ppdet.core.errors import ConfigError
from ppdet.core.logger import get_logger
from ppdet.engine import distributed
from ppdet.engine.training.callbacks import Callback, TrainingRun
from ppdet.optimizer.curve import Pace

_log = get_logger(__name__)
RECENT = 6
"""Epochs whose mean duration, evaluations included, predicts that of the next ones."""
WORTH_SAYING = 0.1


class TimeBudget(Callback):
    """Lowers the number of epochs to those that fit; it never raises it. Must come before all callbacks that read `run.epochs`.

    A resumed run continues with the time that is left. All processes of a run decide alike, by their mean.

    Args:
        minutes: from the start of the program to the end of the last epoch.
        fewest_iterations: trained whatever the time, because fewer teach nothing.
        spent: seconds of this program before the training.
        clock: seconds.

    Raises:
        ConfigError: a number is out of range.
    """

    def __init__(
        self, minutes: float, fewest_iterations: int = 0, spent: float = 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if isinstance(minutes, bool) or not isinstance(minutes, (int, float)) or not 0 < minutes < math.inf:
            raise ConfigError(f"time_budget.minutes is a positive number of minutes; got {minutes!r}")
        if isinstance(fewest_iterations, bool) or not isinstance(fewest_iterations, int) or fewest_iterations < 0:
            raise ConfigError(f"time_budget.fewest_iterations is a number of iterations, 0 or more; got {fewest_iterations!r}")
        self.seconds, self.fewest_iterations, self._clock = 60.0 * minutes, fewest_iterations, clock
        self._begun = clock() - spent
        self._before = 0.0
        self._ends: Deque[float] = deque(maxlen=RECENT + 1)
        self._said = 0

    @classmethod
    def from_config(cls, section: Any, spent: float = 0.0) -> TimeBudget:
        """Create it from the key `time_budget: {minutes: m, fewest_iterations: n}` or `time_budget: m`."""
        if isinstance(section, (int, float)):
            return cls(section, spent=spent)
        if not isinstance(section, Mapping) or not {"minutes"} <= set(section) <= {"minutes", "fewest_iterations"}:
            raise ConfigError(f"time_budget is {{minutes: m, fewest_iterations: n}} or a number of minutes; got {section!r}")
        return cls(section["minutes"], section.get("fewest_iterations", 0), spent)

    def before_training(self, run: TrainingRun) -> None:
        """Continue where a resumed run was."""
        self._planned = self._said = run.epochs
        held = run.state.budget
        if held:
            self._before = held["seconds"]
            run.step.scheduler.pace = Pace(int(held["iteration"]), held["position"], held["speed"])
        self._ends.append(self._clock())
        self._adapt(run, math.nan)

    def after_epoch(self, run: TrainingRun) -> None:
        """Set `run.epochs` and the pace of the learning rate."""
        self._ends.append(self._clock())
        self._adapt(run, float(np.mean(np.diff(self._ends))))

    def after_training(self, run: TrainingRun) -> None:
        """Record the time, also of an unfinished epoch, for a run that resumes this one."""
        run.state.budget = {**run.state.budget, "seconds": self._used()}

    def _used(self) -> float:
        return self._before + self._clock() - self._begun

    def _adapt(self, run: TrainingRun, per_epoch: float) -> None:
        """Decide, given the seconds of an epoch; nan if none is known yet."""
        left = self.seconds - self._used()
        more = left / per_epoch if per_epoch > 0 else math.inf if left > 0 else 0.0
        more = float(distributed.total(np.array([min(more, 1e9)], np.float32))[0]) / distributed.world_size()
        fewest = math.ceil(self.fewest_iterations / len(run.reader))
        epochs = min(self._planned, max(run.state.epoch + max(int(more), 0), fewest, run.state.epoch))
        pace = self._pace(run, epochs)
        run.epochs, run.step.scheduler.pace = epochs, pace
        run.step.scheduler.step(run.state.step)
        run.state.budget = {
            "seconds": self._used(), "iteration": float(pace.iteration), "position": pace.position, "speed": pace.speed
        }  # fmt: skip
        self._log(epochs, run.state.epoch)

    def _pace(self, run: TrainingRun, epochs: int) -> Pace:
        """From here to the end of the curve within the epochs that are left."""
        here = run.step.scheduler.pace.at(run.state.step)
        steps = (epochs - run.state.epoch) * len(run.reader) - run.state.batch
        end = self._planned * len(run.reader)
        return Pace(run.state.step, here, (end - here) / steps if steps > 0 else 1.0)

    def _log(self, epochs: int, done: int) -> None:
        if abs(epochs - self._said) < max(WORTH_SAYING * self._said, 1) and epochs > done or epochs == self._said:
            return
        self._said = epochs
        if distributed.is_main():
            _log.info(
                "time budget of %.3g minutes: %d epochs instead of %d; the learning rate falls accordingly",
                self.seconds / 60, epochs, self._planned,
            )  # fmt: skip
