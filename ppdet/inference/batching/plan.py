"""Splits any number of inputs into the runs of a network that cost the least together."""
from __future__ import annotations

from collections.abc import Mapping

# Beyond this count the cheapest size is taken until the rest is below it; the exact search would gain nothing.
SEARCHED = 64


class BatchPlan:
    """How many inputs go through a network together.

    A larger batch is not always cheaper per input: on a CPU its activations leave the cache. Which batch an input is in must not
    change its output; ONNX Runtime and OpenVINO keep it the same to the last bit (`tests/inference/batching`).

    Args:
        cost: seconds of one run for each batch size that may be used; 1 must be among them. Measurements are disturbed now and
            then, so a batch never counts for more than a larger one.

    Attributes:
        best: the size that costs least per input, the smaller one of equals.
    """

    def __init__(self, cost: Mapping[int, float]) -> None:
        if 1 not in cost or min(cost) < 1 or min(cost.values()) <= 0:
            raise ValueError(f"costs of batches must be positive and include a batch of 1; given {dict(cost)}")
        self.cost = never_falling(cost)
        self.best = min(self.cost, key=lambda size: (self.cost[size] / size, size))
        self._last = _last_runs(self.cost)

    @classmethod
    def up_to(cls, largest: int) -> BatchPlan:
        """Without a measurement: batches as large as allowed, the last one holds the rest."""
        return cls({size: 1.0 + 1e-6 * size for size in range(1, max(1, largest) + 1)})

    def split(self, count: int) -> list[int]:
        """Sizes of the runs for `count` inputs, largest first; their sum is `count`."""
        sizes = []
        while count > SEARCHED:
            sizes.append(self.best)
            count -= self.best
        while count > 0:
            sizes.append(self._last[count])
            count -= self._last[count]
        return sorted(sizes, reverse=True)

    def __repr__(self) -> str:
        return f"BatchPlan({', '.join(f'{size}: {1e3 * seconds:.2f} ms' for size, seconds in self.cost.items())})"


def never_falling(cost: Mapping[int, float]) -> dict[int, float]:
    """Costs by size, each lowered to the least of the larger sizes."""
    least, lowered = float("inf"), {}
    for size, seconds in sorted(cost.items(), reverse=True):
        least = min(least, seconds)
        lowered[size] = least
    return dict(sorted(lowered.items()))


def _last_runs(cost: Mapping[int, float]) -> list[int]:
    """For every count up to `SEARCHED` the size of one run in the cheapest split; of equal ones the largest."""
    least, last = [0.0], [0]
    for total in range(1, SEARCHED + 1):
        seconds, size = min((least[total - size] + each, -size) for size, each in cost.items() if size <= total)
        least.append(seconds)
        last.append(-size)
    return last
