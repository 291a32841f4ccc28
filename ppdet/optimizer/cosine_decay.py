"""Learning rate that falls along half a cosine."""

from __future__ import annotations

import math

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError


@register
class CosineDecay:
    """Half a cosine from the end of the warm-up to `max_epochs - last_plateau_epochs`, then level.

    Args:
        max_epochs: epoch at which the schedule ends, normally the configuration's `epoch`.
        use_warmup: whether a warm-up given beside this decay applies.
        min_lr_ratio: the last rate as a part of the base rate.
        last_plateau_epochs: epochs at the end that stay at the last rate.

    Source: Loshchilov and Hutter, SGDR, ICLR 2017, eq. 5, without restarts.

    Raises:
        ConfigError: the plateau is longer than the schedule, or a number is out of range.
    """

    def __init__(
        self,
        max_epochs: int = 1000,
        use_warmup: bool = True,
        min_lr_ratio: float = 0.0,
        last_plateau_epochs: int = 0,
    ) -> None:
        if max_epochs <= 0 or not 0 <= last_plateau_epochs < max_epochs:
            raise ConfigError(
                f"CosineDecay: need 0 <= last_plateau_epochs < max_epochs, got {last_plateau_epochs} and {max_epochs}"
            )
        if not 0.0 <= min_lr_ratio <= 1.0:
            raise ConfigError(f"CosineDecay: min_lr_ratio is a part of base_lr between 0 and 1, got {min_lr_ratio}")
        self.max_epochs = max_epochs
        self.use_warmup = use_warmup
        self.min_lr_ratio = float(min_lr_ratio)
        self.last_plateau_epochs = last_plateau_epochs

    def value(self, step: int, base_lr: float, steps_per_epoch: int, first_step: int) -> float:
        """Learning rate at iteration `step`; the cosine starts at `first_step`, the end of the warm-up.

        Beyond `max_epochs` the rate stays at that of the last iteration, as in PaddleDetection, and does not reach 0.
        """
        step = min(step, self.max_epochs * steps_per_epoch - 1)
        lowest = base_lr * self.min_lr_ratio
        length = (self.max_epochs - self.last_plateau_epochs) * steps_per_epoch - first_step
        progress = (step - first_step) / length if length > 0 else 1.0
        progress = min(max(progress, 0.0), 1.0)
        return lowest + (base_lr - lowest) * 0.5 * (1.0 + math.cos(math.pi * progress))
