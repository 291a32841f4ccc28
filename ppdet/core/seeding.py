"""Reproducible randomness from one seed."""

from __future__ import annotations

import random
import sys

import numpy as np


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy's global generator and, if it is loaded, Paddle.

    Paddle is taken from the loaded modules because this floor must not import it.
    """
    random.seed(seed)
    np.random.seed(seed % 2**32)
    paddle = sys.modules.get("paddle")
    if paddle is not None:
        paddle.seed(seed)


def sample_rng(seed: int, epoch: int, index: int) -> np.random.Generator:
    """The random generator of one sample in one epoch.

    It depends on nothing else, so augmentation does not depend on the number of worker processes, and a resumed run draws the
    same numbers as an uninterrupted one.
    """
    return np.random.default_rng(np.random.SeedSequence([seed, epoch, index]))
