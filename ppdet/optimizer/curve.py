"""The learning rate as a pure function of the iteration."""

from __future__ import annotations

from typing import Any

import numpy as np


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
