"""Randomness that can be repeated: one number decides everything."""

from __future__ import annotations

import random
import sys

import numpy as np


def seed_everything(seed: int) -> None:
    """Seed Python, numpy's global generator and, if it is loaded, Paddle.

    Paddle is looked up among the loaded modules because this floor may not import it.
    """
    random.seed(seed)
    np.random.seed(seed % 2**32)
    paddle = sys.modules.get("paddle")
    if paddle is not None:
        paddle.seed(seed)


def sample_rng(seed: int, epoch: int, index: int) -> np.random.Generator:
    """The generator of one sample in one epoch.

    It depends on nothing else, so augmentation is the same whatever the number of worker processes, and a resumed
    run continues with the numbers an uninterrupted one would have drawn.
    """
    return np.random.default_rng(np.random.SeedSequence([seed, epoch, index]))
