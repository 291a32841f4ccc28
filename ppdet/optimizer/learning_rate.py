"""The `LearningRate` section of a config."""

from __future__ import annotations

import math
from typing import Any, Callable, Dict, Optional, Sequence

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.core.logger import get_logger
from ppdet.optimizer.curve import LearningRateCurve

_log = get_logger(__name__)


@register
class LearningRate:
    """Base learning rate with a decay and a warm-up.

    Args:
        base_lr: rate for the whole batch of one optimizer step, used as given: it is not scaled with the batch size.
        schedulers: at most one decay (`PiecewiseDecay`, `CosineDecay`) and one warm-up (`LinearWarmup`, `ExpWarmup`),
            in any order.

    Raises:
        ConfigError: `base_lr` is not positive, or the schedulers are not one decay and one warm-up.
    """

    def __init__(self, base_lr: float = 0.01, schedulers: Optional[Sequence[Any]] = None) -> None:
        if not isinstance(base_lr, (int, float)) or isinstance(base_lr, bool) or not 0 < base_lr < math.inf:
            hint = "; YAML reads `1e-3` as text, write 1.0e-3 or 0.001" if isinstance(base_lr, str) else ""
            raise ConfigError(f"LearningRate: base_lr must be a positive number, got {base_lr!r}{hint}")
        self.base_lr = float(base_lr)
        self.decay: Any = None
        self.warmup: Any = None
        for scheduler in schedulers or ():
            self._take(scheduler)
        if self.warmup is not None and self.decay is not None and not self.decay.use_warmup:
            _log.warning(
                "%s says use_warmup: false, so %s is not used", type(self.decay).__name__, type(self.warmup).__name__
            )
            self.warmup = None

    @classmethod
    def build_parts(cls, build: Callable[..., Any], args: Dict[str, Any]) -> Dict[str, Any]:
        """Build each scheduler: `!CosineDecay {...}`, `{name: CosineDecay, ...}` and a bare name all work."""
        schedulers = args.get("schedulers")
        if not isinstance(schedulers, (list, type(None))):
            raise ConfigError(f"LearningRate: schedulers is {schedulers!r}; expected a list, such as [!CosineDecay {{}}]")
        if schedulers:
            args["schedulers"] = [build(item) for item in schedulers]
        return args

    def curve(self, steps_per_epoch: int) -> LearningRateCurve:
        """The learning rate as a function of the iteration, for epochs of `steps_per_epoch` iterations."""
        return LearningRateCurve(self.base_lr, self.decay, self.warmup, steps_per_epoch)

    def _take(self, scheduler: Any) -> None:
        if hasattr(scheduler, "factor"):
            slot = "warmup"
        elif hasattr(scheduler, "value"):
            slot = "decay"
        else:
            raise ConfigError(
                f"LearningRate: {scheduler!r} is no scheduler; "
                "use PiecewiseDecay, CosineDecay, LinearWarmup or ExpWarmup"
            )
        if getattr(self, slot) is not None:
            raise ConfigError(
                f"LearningRate: two schedulers of one kind, {type(getattr(self, slot)).__name__} and "
                f"{type(scheduler).__name__}; "
                "give one decay and one warm-up"
            )
        setattr(self, slot, scheduler)
