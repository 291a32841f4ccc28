"""Whether all objects of a dataset face the same way, so that mirrored training images look like nothing in the data.

Mirroring an image and swapping left and right keypoints negates two kinds of numbers: the horizontal distance between keypoints
of the middle line (a pair counts by its midpoint), and the vertical distance between the two of a pair. If one of these has the
same sign in nearly every object, mirrored images show the opposite of what the network is to learn, and it settles in between.

Legend: N objects, K keypoints.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import List, Optional, Sequence, Tuple

import numpy as np

ONE_SIDED = 0.9
"""Share of objects with the same order from which on data count as one-sided."""
FEWEST_OBJECTS = 20
CHANCE = 0.05
"""An order counts if random points would show one as clear, in any of the pairs compared, with at most this probability."""
SMALLEST_DISTANCE = 0.1
"""Distances below this part of the keypoints' larger extent say nothing of an order."""


@dataclass(frozen=True)
class Order:
    """An order that nearly all objects share: `count` of `total` objects have `first` to the left of `second` (or above it)."""

    first: str
    second: str
    relation: str
    count: int
    total: int

    def __str__(self) -> str:
        return f"{self.first} is {self.relation} {self.second} in {self.count} of {self.total} objects"


def one_sided(
    keypoints: np.ndarray, names: Sequence[str], pairs: Sequence[Sequence[int]], fewest: int = FEWEST_OBJECTS
) -> Optional[Order]:
    """The clearest order that mirroring would reverse, if nearly all objects share one and are too many for that to be chance.

    Args:
        keypoints: (N, K, 3) x, y, visibility.
        names: K.
        pairs: keypoints that swap in a mirror.
        fewest: objects that must show an order.

    Returns:
        None if objects face both ways, are too few, or no order can be told.
    """
    if len(keypoints) < fewest:
        return None
    xy, seen = np.asarray(keypoints[..., :2], np.float64), keypoints[..., 2] > 0
    low, high = np.where(seen[..., None], xy, np.inf).min(axis=1), np.where(seen[..., None], xy, -np.inf).max(axis=1)
    dead = SMALLEST_DISTANCE * np.where(seen.any(axis=1), (high - low).max(axis=1), np.inf)
    paired = {int(i) for pair in pairs for i in pair}
    middle = [(name, xy[:, i, 0], seen[:, i]) for i, name in enumerate(names) if i not in paired]
    for a, b in pairs:
        middle.append((f"the middle of {names[a]} and {names[b]}", xy[:, [a, b], 0].mean(axis=1), seen[:, a] & seen[:, b]))
    chance = CHANCE / max(_comparisons(len(names), len(pairs)), 1)
    orders: List[Tuple[float, Order]] = []
    for (first, x1, seen1), (second, x2, seen2) in combinations(middle, 2):
        orders += _order(x2 - x1, seen1 & seen2, dead, (first, second), "left of", fewest, chance)
    for a, b in pairs:
        orders += _order(xy[:, b, 1] - xy[:, a, 1], seen[:, a] & seen[:, b], dead, (names[a], names[b]), "above", fewest, chance)
    return max(orders, key=lambda each: each[0])[1] if orders else None


def _comparisons(num_keypoints: int, num_pairs: int) -> int:
    """How many orders `one_sided` looks at. The more, the likelier that a few objects share one of them by chance."""
    return comb(num_keypoints - num_pairs, 2) + num_pairs


def fewest_for_an_order(num_keypoints: int, num_pairs: int) -> int:
    """The number of objects from which on an order that all of them share is no chance."""
    count = 1
    while _chance(count, count) > CHANCE / max(_comparisons(num_keypoints, num_pairs), 1):
        count += 1
    return count


def _chance(count: int, total: int) -> float:
    """Probability that `count` or more of `total` objects share an order if either direction is as likely."""
    if total > 500:  # where `count` is `ONE_SIDED` of them it is below 1e-70
        return 0.0
    return 2 * sum(comb(total, k) for k in range(count, total + 1)) / 2**total


def _order(
    distance: np.ndarray,
    known: np.ndarray,
    dead: np.ndarray,
    names: Tuple[str, str],
    relation: str,
    fewest: int,
    chance: float,
) -> List[Tuple[float, Order]]:
    """The order of two keypoints with its share, if enough objects show one and nearly all the same."""
    clear = known & (np.abs(distance) > dead)
    total, forward = int(clear.sum()), int((clear & (distance > 0)).sum())
    count = max(forward, total - forward)
    if total < max(fewest, known.sum() / 2) or count < ONE_SIDED * total or _chance(count, total) > chance:
        return []
    first, second = names if forward >= total - forward else names[::-1]
    return [(count / total, Order(first, second, relation, count, total))]
