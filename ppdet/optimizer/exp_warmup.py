"""Warm-up of the learning rate as a power of the iteration."""

from __future__ import annotations

from typing import Optional

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError


@register
class ExpWarmup:
    """Increases the rate from 0 to the base rate as (iteration / length) ** power.

    Args:
        steps: length in iterations.
        epochs: length in epochs; overrides `steps`.
        power: exponent; 2 rises slowly at first.

    Raises:
        ConfigError: negative length, or a power that is not positive.
    """

    def __init__(self, steps: int = 1000, epochs: Optional[float] = None, power: float = 2) -> None:
        if steps < 0 or (epochs is not None and epochs < 0) or power <= 0:
            raise ConfigError(f"ExpWarmup: need steps, epochs >= 0 and power > 0, got {steps}, {epochs} and {power}")
        self.steps = steps
        self.epochs = epochs
        self.power = power

    def length(self, steps_per_epoch: int) -> int:
        """Number of iterations until the base rate is reached."""
        return int(self.steps) if self.epochs is None else int(self.epochs * steps_per_epoch)

    def factor(self, step: float, length: int) -> float:
        """Fraction of the base rate at iteration `step` < `length`."""
        return (step / length) ** self.power
