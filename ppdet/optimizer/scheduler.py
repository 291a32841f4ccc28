"""Adapter from a learning-rate curve to a Paddle scheduler."""

from __future__ import annotations

from paddle.optimizer.lr import LRScheduler

from ppdet.optimizer.curve import LearningRateCurve


class CurveScheduler(LRScheduler):
    """Paddle scheduler whose `last_epoch` is the iteration and whose rate is `curve.value(iteration)`.

    `scheduler.step()` moves to the next iteration; `scheduler.step(i)` jumps to iteration i (after a resume).
    """

    def __init__(self, curve: LearningRateCurve) -> None:
        self.curve = curve
        super().__init__(learning_rate=curve.base_lr)

    def get_lr(self) -> float:
        """Learning rate of the current iteration."""
        return self.curve.value(max(self.last_epoch, 0))
