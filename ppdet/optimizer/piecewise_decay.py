"""Step decay of the learning rate at given epochs."""

from __future__ import annotations

from bisect import bisect_right
from typing import Optional, Sequence, Union

from ppdet.core.config.registry import register
from ppdet.core.content_schema import either, list_of, mapping, number, optional, summary
from ppdet.core.errors import ConfigError

_NUMBERS = list_of(number(0))
_SETTINGS = mapping({"gamma": either(_NUMBERS, number(0)), "milestones": _NUMBERS, "values": optional(_NUMBERS)})


@register
class PiecewiseDecay:
    """Multiplies the base rate by a factor from each milestone on.

    Args:
        gamma: a number g for the factor g^i after the i-th milestone, or a list of factors, one per milestone and each relative
            to the base rate. PaddleDetection computes g / 10^(i-1) for a number, which is g^i only for g = 0.1.
        milestones: epochs at which the rate changes.
        values: absolute learning rates (one more than milestones); overrides `gamma` and the base rate.
        use_warmup: whether to apply the warm-up of the same schedule.

    Raises:
        ConfigError: the lengths do not fit, the milestones are not increasing, or something is no number or negative.
    """

    def __init__(
        self,
        gamma: Union[float, Sequence[float]] = (0.1, 0.01),
        milestones: Sequence[float] = (8, 11),
        values: Optional[Sequence[float]] = None,
        use_warmup: bool = True,
    ) -> None:
        given = {"gamma": gamma, "milestones": milestones, "values": values}
        wrong = summary(_SETTINGS(given, "PiecewiseDecay"))
        if wrong:
            raise ConfigError(wrong)
        self.milestones = [float(m) for m in milestones]
        self.use_warmup = use_warmup
        self.values = None if values is None else [float(v) for v in values]
        if isinstance(gamma, (int, float)):
            self.factors = [float(gamma) ** i for i in range(1, len(self.milestones) + 1)]
        else:
            self.factors = [float(g) for g in gamma]
        self._check()

    def _check(self) -> None:
        if any(b <= a for a, b in zip(self.milestones, self.milestones[1:])):
            raise ConfigError(f"PiecewiseDecay: milestones must rise, got {self.milestones}")
        if self.values is not None and len(self.values) != len(self.milestones) + 1:
            raise ConfigError(
                f"PiecewiseDecay: {len(self.milestones)} milestones need {len(self.milestones) + 1} values, "
                f"got {len(self.values)}"
            )
        if self.values is None and len(self.factors) != len(self.milestones):
            raise ConfigError(
                f"PiecewiseDecay: gamma lists {len(self.factors)} factors for {len(self.milestones)} milestones; "
                "give one factor per milestone, or one number"
            )

    def value(self, step: float, base_lr: float, steps_per_epoch: int, first_step: int) -> float:
        """Learning rate at iteration `step` (counted from 0, warm-up included)."""
        passed = bisect_right([int(m * steps_per_epoch) for m in self.milestones], step)
        if self.values is not None:
            return self.values[passed]
        return base_lr * (self.factors[passed - 1] if passed else 1.0)
