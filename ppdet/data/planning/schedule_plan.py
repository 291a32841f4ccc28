"""Chooses batch, epochs, learning rate and weight average for a time budget."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Optional, Tuple

ESTIMATED_PIXELS_PER_S = 350_000.0
"""Training speed of PP-TinyPose on two cores, in input pixels per second (docs/training.md: 21 to 47 crops of 96 x 128)."""
FIXED_SECONDS = 20.0
"""Start-up, reading the images, the last evaluation and writing files."""
USED = 1.0
"""Share of the time that is planned for; if the machine is busy at times, `time_budget` ends the run earlier."""
EVAL_PER_TRAIN = 0.35
"""Time to evaluate a crop, relative to training on it."""
EVALUATIONS = 12
EPOCHS_SHOWN = 60
"""More epochs than this only add checkpoints and log lines: small sets are repeated within an epoch."""
FEWEST_ITERATIONS = 300
"""With fewer iterations nothing is learnt, whatever the budget."""
SLOWEST = 0.3
"""If the measured speed is below this fraction of the estimate, the machine was busy at that moment."""
NEW_LR, KNOWN_LR = 2e-3, 7e-4
"""Adam's rate where the last layer starts anew, and where it keeps most of its rows. In 156 iterations of 8 rendered mice at
128x96 (`tests/support/rendered_mice.py`), .0007 reached 14.6 px and .002 10.6 px: new rows take long to leave the all-zero
heatmap. In 40 iterations of 8 people of `lspet`, 12 of whose 14 joints are known, .0007 reached 22.4 px and .002 26.3 px, since
it undoes what is known."""
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
        crops: total number of training crops.
        images_per_s: assumed training speed.
        how: source of that speed.
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
        """Total number of iterations."""
        return max(1, self.crops // self.batch_size)


def batch_size_for(num_train: int) -> int:
    """Crops per iteration: small for small datasets, which need many steps."""
    return 8 if num_train < 200 else 16 if num_train < 2000 else 32


def budget_seconds(minutes: float) -> float:
    """Seconds of a time budget that are spent on training."""
    return max(USED * 60 * minutes - FIXED_SECONDS, 10.0)


def plan_schedule(
    num_train: int, num_val: int, minutes: float, images_per_s: float, how: str, known: float = 0.0
) -> Schedule:
    """A schedule that ends within the budget, if that allows a few hundred iterations.

    Args:
        num_train, num_val: objects.
        minutes: time budget.
        images_per_s: training speed in crops per second.
        how: where that comes from.
        known: share of the keypoints whose rows of the initial weights are kept.

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
        base_lr=KNOWN_LR if known > 0.5 else NEW_LR,
        warmup_steps=max(1, min(100, iterations // 10)),
        ema_decay=round(1 - 1 / max(10.0, min(1000.0, iterations / 20)), 4),
        crops=crops,
        images_per_s=images_per_s,
        how=how,
    )


def believed_speed(pixels_per_s: float) -> Tuple[float, str]:
    """The speed to plan with, and its source: the measured one, unless the machine was too busy for a meaningful measurement."""
    least = SLOWEST * ESTIMATED_PIXELS_PER_S
    if pixels_per_s >= least:
        return pixels_per_s, "measured here"
    return least, f"assumed, since the machine was busy and measured only {pixels_per_s / least:.2f} of that"


def pixels_in_budget(minutes: float, pixels_per_s: Optional[float] = None) -> float:
    """Input pixels that can be trained on."""
    return budget_seconds(minutes) * (pixels_per_s or ESTIMATED_PIXELS_PER_S)
