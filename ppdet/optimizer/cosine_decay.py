"""Cosine decay of the learning rate."""

from __future__ import annotations

import math

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError


@register
class CosineDecay:
    """Half a cosine from the end of the warm-up, or of a constant start, to `max_epochs - last_plateau_epochs`, then constant.

    Args:
        max_epochs: last epoch of the schedule, normally the config's `epoch`.
        use_warmup: whether to apply the warm-up of the same schedule.
        min_lr_ratio: final rate as a fraction of the base rate.
        last_plateau_epochs: number of epochs at the end with the final rate.
        first_plateau_epochs: number of epochs at the start, warm-up included, with the base rate (RTMPose: half of all).

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
        first_plateau_epochs: int = 0,
    ) -> None:
        if max_epochs <= 0 or not 0 <= last_plateau_epochs < max_epochs:
            raise ConfigError(
                f"CosineDecay: need 0 <= last_plateau_epochs < max_epochs, got {last_plateau_epochs} and {max_epochs}"
            )
        if not 0 <= first_plateau_epochs < max_epochs - last_plateau_epochs:
            raise ConfigError(
                f"CosineDecay: the two plateaus of {first_plateau_epochs} and {last_plateau_epochs} epochs leave nothing of "
                f"max_epochs {max_epochs}"
            )
        if not 0.0 <= min_lr_ratio <= 1.0:
            raise ConfigError(f"CosineDecay: min_lr_ratio is a part of base_lr between 0 and 1, got {min_lr_ratio}")
        self.max_epochs = max_epochs
        self.use_warmup = use_warmup
        self.min_lr_ratio = float(min_lr_ratio)
        self.last_plateau_epochs = last_plateau_epochs
        self.first_plateau_epochs = first_plateau_epochs

    def value(self, step: float, base_lr: float, steps_per_epoch: int, first_step: int) -> float:
        """Learning rate at iteration `step`; the cosine starts at `first_step`, the end of the warm-up, or after the plateau.

        Beyond `max_epochs` the rate stays at that of the last iteration, as in PaddleDetection, and does not reach 0.
        """
        step = min(step, self.max_epochs * steps_per_epoch - 1)
        first_step = max(first_step, self.first_plateau_epochs * steps_per_epoch)
        lowest = base_lr * self.min_lr_ratio
        length = (self.max_epochs - self.last_plateau_epochs) * steps_per_epoch - first_step
        progress = (step - first_step) / length if length > 0 else 1.0
        progress = min(max(progress, 0.0), 1.0)
        return lowest + (base_lr - lowest) * 0.5 * (1.0 + math.cos(math.pi * progress))
