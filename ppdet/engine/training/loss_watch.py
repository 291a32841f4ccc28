"""A loss that runs away without becoming infinite."""

from __future__ import annotations

import statistics
from collections import deque
from typing import Deque, Dict

from ppdet.core.logger import get_logger
from ppdet.engine import distributed
from ppdet.engine.training.callbacks import Callback, StepTimes
from ppdet.engine.training.trainer import Trainer

_log = get_logger(__name__)
FACTOR = 1e3
MEDIAN_OF, AT_LEAST = 200, 5


class LossWatch(Callback):
    """Warns, once a run, when the loss is more than `FACTOR` times the median of the iterations before."""

    def __init__(self) -> None:
        self._recent: Deque[float] = deque(maxlen=MEDIAN_OF)
        self._told = False

    def after_step(self, run: Trainer, losses: Dict[str, float], times: StepTimes) -> None:
        """Compare and remember."""
        loss = losses["loss"]
        if self._told or not distributed.is_main():
            return
        if len(self._recent) >= AT_LEAST:
            usual = statistics.median(self._recent)
            if loss > FACTOR * abs(usual) > 0:
                self._told = True
                _log.warning(
                    "the loss is %.3g at iteration %d, usually %.3g before: training diverges. A lower LearningRate.base_lr or a "
                    "longer warm-up helps; checkpoints from here on are probably useless",
                    loss, run.state.step, usual,
                )  # fmt: skip
        self._recent.append(loss)
