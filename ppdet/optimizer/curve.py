"""The learning rate as a pure function of the iteration, and the Paddle scheduler that follows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from paddle.optimizer.lr import LRScheduler


class LearningRateCurve:
    """Warm-up followed by decay: `curve.value(i)` is the rate of iteration i, counted from 0.

    It is a pure function, so a resumed run continues on the same curve, and it can be plotted without training.

    Args:
        base_lr: rate at the end of the warm-up and the start of the decay.
        decay: object with `value(step, base_lr, steps_per_epoch, first_step)`, or None for a constant rate.
        warmup: object with `length(steps_per_epoch)` and `factor(step, length)`, or None.
        steps_per_epoch: iterations per epoch.
    """

    def __init__(self, base_lr: float, decay: Any, warmup: Any, steps_per_epoch: int) -> None:
        assert steps_per_epoch > 0
        self.base_lr = float(base_lr)
        self.decay = decay
        self.warmup = warmup
        self.steps_per_epoch = steps_per_epoch
        self.warmup_steps = warmup.length(steps_per_epoch) if warmup is not None else 0

    def value(self, step: float) -> float:
        """Learning rate of iteration `step` (0-based); between two iterations for a fraction."""
        if step < self.warmup_steps:
            return self.base_lr * self.warmup.factor(step, self.warmup_steps)
        if self.decay is None:
            return self.base_lr
        return float(self.decay.value(step, self.base_lr, self.steps_per_epoch, self.warmup_steps))

    def values(self, count: int) -> np.ndarray:
        """(count,) float64 learning rates of the first `count` iterations, for plotting."""
        return np.array([self.value(step) for step in range(count)], dtype=np.float64)


@dataclass(frozen=True)
class Pace:
    """Position on the learning-rate curve, in iterations of the planned run, as a linear function of the iteration.

    A run that has to end earlier than planned moves along the curve faster, so that it still ends at the lowest rate.

    Attributes:
        iteration, position: where the pace begins.
        speed: positions per iteration from there on.
    """

    iteration: int = 0
    position: float = 0.0
    speed: float = 1.0

    def at(self, iteration: int) -> float:
        """Position of an iteration."""
        return self.position + (iteration - self.iteration) * self.speed


class CurveScheduler(LRScheduler):
    """Paddle scheduler whose `last_epoch` is the iteration and whose rate is that of the iteration's position on the curve.

    `scheduler.step()` moves to the next iteration; `scheduler.step(i)` jumps to iteration i (after a resume, or a change of
    `pace`, which is one position per iteration otherwise).
    """

    def __init__(self, curve: LearningRateCurve) -> None:
        self.curve = curve
        self.pace = Pace()
        super().__init__(learning_rate=curve.base_lr)

    def get_lr(self) -> float:
        """Learning rate of the current iteration."""
        return self.curve.value(self.pace.at(max(self.last_epoch, 0)))
