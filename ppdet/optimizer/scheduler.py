"""Adapter from a learning-rate curve to a Paddle scheduler."""

from __future__ import annotations

from dataclasses import dataclass

from paddle.optimizer.lr import LRScheduler

from ppdet.optimizer.curve import LearningRateCurve


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
    """Paddle scheduler whose `last_epoch` is a position on the curve and whose rate is `curve.value(position)`.

    `move_to(i)` goes to iteration i, which is at position i unless `pace` says otherwise.
    """

    def __init__(self, curve: LearningRateCurve) -> None:
        self.curve = curve
        self.pace = Pace()
        super().__init__(learning_rate=curve.base_lr)

    def move_to(self, iteration: int) -> None:
        """Go to an iteration, counted from 0."""
        self.step(self.pace.at(iteration))

    def get_lr(self) -> float:
        """Learning rate of the current position."""
        return self.curve.value(max(self.last_epoch, 0))
