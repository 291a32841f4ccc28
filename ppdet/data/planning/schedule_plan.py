"""Chooses batch, epochs, learning rate and weight average for a time budget."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Optional, Tuple

ESTIMATED_PIXELS_PER_S = 350_000.0
"""Input pixels per second that two cores train PP-TinyPose on (docs/training.md: 21 to 47 crops of 96 x 128 per second)."""
FIXED_SECONDS = 20.0
"""Start, reading the images, last evaluation and files."""
USED = 1.0
"""Share of the time that is planned for. What does not fit on a machine that is busy at times, `time_budget` cuts off."""
EVAL_PER_TRAIN = 0.35
"""Time of one evaluated crop per trained one."""
EVALUATIONS = 12
EPOCHS_SHOWN = 60
"""More epochs than this only add checkpoints and log lines: small sets are repeated within an epoch."""
FEWEST_ITERATIONS = 300
"""Below this nothing is learnt, whatever the budget says."""
SLOWEST = 0.3
"""A measured speed below this part of the estimate comes from a machine that was busy at that moment."""
MOST_REPEATS = 1000
MOST_EPOCHS = 400


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train.

    Attributes:
        batch_size: crops per iteration.
        repeat: passes over the data in an epoch of the log.
        epochs: of the log.
        snapshot_epoch: epochs between evaluations.
        base_lr: Adam's learning rate.
        warmup_steps: iterations.
        ema_decay: of the weight average.
        crops: that are trained on in total.
        images_per_s: speed that it was planned with.
        how: where that speed comes from.
    """

    batch_size: int
    repeat: int
    epochs: int
    snapshot_epoch: int
    base_lr: float
    warmup_steps: int
    ema_decay: float
    crops: int
    images_per_s: float
    how: str

    @property
    def iterations(self) -> int:
        """In total."""
        return max(1, self.crops // self.batch_size)


def batch_size_for(num_train: int) -> int:
    """Crops per iteration: small for little data, which needs many steps."""
    return 8 if num_train < 200 else 16 if num_train < 2000 else 32


def budget_seconds(minutes: float) -> float:
    """Seconds of a time budget that go into training."""
    return max(USED * 60 * minutes - FIXED_SECONDS, 10.0)


def plan_schedule(num_train: int, num_val: int, minutes: float, images_per_s: float, how: str) -> Schedule:
    """A schedule that ends within the budget, if that allows a few hundred iterations.

    Args:
        num_train, num_val: objects.
        minutes: time budget.
        images_per_s: crops that are trained on per second.
        how: where that comes from.

    The schedule has at least `FEWEST_ITERATIONS` iterations and may then take longer.
    """
    batch = batch_size_for(num_train)
    seconds = budget_seconds(minutes)
    evaluating = EVALUATIONS * num_val * EVAL_PER_TRAIN / images_per_s
    evaluations = EVALUATIONS if evaluating < 0.2 * seconds else max(2, int(0.2 * seconds * EVALUATIONS / evaluating))
    seconds -= min(evaluating, 0.2 * seconds)
    passes = max(seconds * images_per_s, FEWEST_ITERATIONS * batch) / num_train
    repeat = min(MOST_REPEATS, max(math.ceil(passes / EPOCHS_SHOWN), math.ceil(2 * batch / num_train)))
    epochs = max(1, min(MOST_EPOCHS, int(passes / repeat)))
    crops = epochs * repeat * num_train
    iterations = max(1, crops // batch)
    return Schedule(
        batch_size=batch,
        repeat=repeat,
        epochs=epochs,
        snapshot_epoch=max(1, round(epochs / evaluations)),
        base_lr=1e-3 * math.sqrt(batch / 16),
        warmup_steps=max(1, min(100, iterations // 10)),
        ema_decay=round(1 - 1 / max(10.0, min(1000.0, iterations / 20)), 4),
        crops=crops,
        images_per_s=images_per_s,
        how=how,
    )


def believed_speed(pixels_per_s: float) -> Tuple[float, str]:
    """The speed to plan with, and how it was found: a measured one, unless the machine was too busy for it to mean anything."""
    least = SLOWEST * ESTIMATED_PIXELS_PER_S
    if pixels_per_s >= least:
        return pixels_per_s, "measured here"
    return least, f"the machine was busy when it was measured ({pixels_per_s / least:.2f} of that)"


def pixels_in_budget(minutes: float, pixels_per_s: Optional[float] = None) -> float:
    """Input pixels that can be trained on."""
    return budget_seconds(minutes) * (pixels_per_s or ESTIMATED_PIXELS_PER_S)
