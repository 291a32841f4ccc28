"""Which samples a process sees, in which order. Everything follows from (seed, epoch, rank, world size)."""

from __future__ import annotations

from typing import List

import numpy as np

from ppdet.core.errors import DataError


def train_order(num_samples: int, epoch: int, seed: int, rank: int, world_size: int, shuffle: bool) -> np.ndarray:
    """Sample numbers of one rank for one epoch.

    All ranks draw the same permutation and take disjoint shares of equal size, because each has to make the same
    number of steps; the fewer than `world_size` samples left over are others in every epoch.

    Raises:
        DataError: fewer samples than processes.
    """
    if num_samples < world_size:
        raise DataError(
            f"{num_samples} training samples cannot be shared by {world_size} processes; start fewer, or give more data"
        )
    order = np.random.default_rng([seed, epoch]).permutation(num_samples) if shuffle else np.arange(num_samples)
    share = num_samples // world_size
    return order[rank : share * world_size : world_size]


def eval_order(num_samples: int, rank: int, world_size: int) -> np.ndarray:
    """Every `world_size`-th sample from `rank` on: nothing twice, nothing left out, ranks may differ by one sample."""
    return np.arange(rank, num_samples, world_size)


def cut_batches(order: np.ndarray, batch_size: int, drop_last: bool) -> List[np.ndarray]:
    """Consecutive batches; the last may be smaller, or is dropped."""
    stop = len(order) - len(order) % batch_size if drop_last else len(order)
    return [order[start : min(start + batch_size, stop)] for start in range(0, stop, batch_size)]
