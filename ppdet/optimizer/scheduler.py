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
    """Paddle scheduler whose `last_epoch` is the iteration and whose rate is that of the iteration's position on the curve.

    `scheduler.step()` moves to the next iteration; `scheduler.step(i)` jumps to iteration i (after a resume, or a change of
    `pace`, which is one position per iteration otherwise).
    """

    def __init__(self, curve: LearningRateCurve) -> None:
        self.curve = curve
        self.pace = Pace()
        super().__init__(learning_rate=curve.base_lr)

    def get_lr(self) -> float:
        """Learning rate of the current iteration."""
        return self.curve.value(self.pace.at(max(self.last_epoch, 0)))
