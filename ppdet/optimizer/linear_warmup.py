"""Linear warm-up of the learning rate."""

from __future__ import annotations

import math
from typing import Optional

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError


@register
class LinearWarmup:
    """Increases the rate linearly from `start_factor` x base rate to the base rate over `steps` iterations.

    Args:
        steps: length in iterations.
        start_factor: rate of the first iteration as a fraction of the base rate.
        epochs: length in epochs; overrides `steps`.

    Raises:
        ConfigError: negative length, or a negative start.
    """

    def __init__(self, steps: int = 500, start_factor: float = 1.0 / 3, epochs: Optional[float] = None) -> None:
        if steps < 0 or (epochs is not None and epochs < 0):
            raise ConfigError(f"LinearWarmup: steps and epochs cannot be negative, got {steps} and {epochs}")
        if not 0 <= start_factor < math.inf:
            raise ConfigError(f"LinearWarmup: start_factor is a part of base_lr, a number from 0 on; got {start_factor!r}")
        self.steps = steps
        self.start_factor = float(start_factor)
        self.epochs = epochs

    def length(self, steps_per_epoch: int) -> int:
        """Number of iterations until the base rate is reached."""
        return int(self.steps) if self.epochs is None else int(self.epochs * steps_per_epoch)

    def factor(self, step: float, length: int) -> float:
        """Fraction of the base rate at iteration `step` < `length`."""
        part = step / length
        return self.start_factor * (1.0 - part) + part
