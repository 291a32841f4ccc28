"""Kalman filters of constant velocity whose coordinates are independent, of all tracks at once.

Each coordinate has a filter of two states (value, velocity), so a covariance is three numbers: value, value with velocity,
velocity. The users decide on the noise and on the meaning of the coordinates (`motion`, `jde.motion`).

Legend: T tracks, C coordinates.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass
class Filters:
    """State of T filters.

    Attributes:
        mean: (T, C) values.
        velocity: (T, C) per unit of time.
        value_variance, covariance, velocity_variance: (T, C).
    """

    mean: np.ndarray
    velocity: np.ndarray
    value_variance: np.ndarray
    covariance: np.ndarray
    velocity_variance: np.ndarray

    def __len__(self) -> int:
        return len(self.mean)

    def arrays(self) -> tuple[np.ndarray, ...]:
        """The five arrays, in the order of the attributes."""
        return self.mean, self.velocity, self.value_variance, self.covariance, self.velocity_variance

    def __getitem__(self, rows: np.ndarray) -> Self:
        return type(self)(*(array[rows] for array in self.arrays()))

    def put(self, rows: np.ndarray, others: Filters) -> None:
        """Overwrite the filters of some rows."""
        for array, other in zip(self.arrays(), others.arrays()):
            array[rows] = other

    def joined(self, others: Filters) -> Self:
        """These filters, then the others."""
        return type(self)(*(np.concatenate(pair) for pair in zip(self.arrays(), others.arrays())))

    def advance(self, time: float | np.ndarray) -> None:
        """Move the values on by their velocities, in place, without process noise.

        Args:
            time: one number, or (T, 1).
        """
        self.mean += self.velocity * time
        self.value_variance += time * (2 * self.covariance + time * self.velocity_variance)
        self.covariance += time * self.velocity_variance

    def fused(self, measured: np.ndarray, variance: np.ndarray) -> Self:
        """The filters after observing (T, C) values that have a variance of noise."""
        surprise = measured - self.mean
        total = self.value_variance + variance
        gain, velocity_gain = self.value_variance / total, self.covariance / total
        return type(self)(
            self.mean + gain * surprise,
            self.velocity + velocity_gain * surprise,
            (1 - gain) * self.value_variance,
            (1 - gain) * self.covariance,
            self.velocity_variance - velocity_gain * self.covariance,
        )
