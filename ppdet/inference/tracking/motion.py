"""Motion of boxes: Kalman filters of constant velocity, in seconds, of all tracks at once.

Legend: T tracks. A box is (centre x, centre y, width, height) here.

The noise is a share of the person's size (the longer side of the box), so that near and far people are followed alike. Source of
the white-noise acceleration model: Bar-Shalom, Li and Kirubarajan, Estimation with Applications to Tracking and Navigation,
6.2.2.
"""
from __future__ import annotations

import numpy as np

from ppdet.inference.tracking.filters import Filters

# Standard deviation of a detector's box around the true one, in sizes.
MEASUREMENT = np.array([0.03, 0.03, 0.05, 0.05])
# Root of the spectral density of the acceleration, in sizes per second^1.5: people turn and stop within some tenths of a second.
ACCELERATION = np.array([2.0, 2.0, 0.5, 0.5])
# Standard deviation of the velocity of somebody new, in sizes per second: a person walks .8 of their height in a second.
NEW_VELOCITY = np.array([1.0, 1.0, 0.2, 0.2])
# People out of sight do not walk on for ever: their velocity falls by 1/e in this time, in seconds.
VELOCITY_LASTS = 1.5
SMALLEST_SIDE = 1.0
# A gap is filled with at most this many observations in between.
MOST_STEPS = 12


class Motion(Filters):
    """Filters of (T, 4) cx, cy, w, h in pixels; velocities are pixels per second."""

    @classmethod
    def start(cls, centered: np.ndarray) -> Motion:
        """Filters of people seen for the first time at (T, 4) cx, cy, w, h."""
        size = sizes(centered)
        zero = np.zeros_like(centered)
        return cls(centered.copy(), zero, (MEASUREMENT * size) ** 2, zero.copy(), (NEW_VELOCITY * size) ** 2)

    def predict(self, seconds: float | np.ndarray, out_of_sight: np.ndarray | None = None) -> None:
        """Move on in time, in place.

        Args:
            seconds: one number, or (T, 1).
            out_of_sight: (T,) bool, whose velocity decays.
        """
        density = (ACCELERATION * sizes(self.mean)) ** 2
        self.advance(seconds)
        np.maximum(self.mean[:, 2:], SMALLEST_SIDE, out=self.mean[:, 2:])
        self.value_variance += density * seconds**3 / 3
        self.covariance += density * seconds**2 / 2
        self.velocity_variance += density * seconds
        if out_of_sight is not None and out_of_sight.any():
            self.velocity[out_of_sight] *= np.exp(-np.max(seconds) / VELOCITY_LASTS)

    def corrected(self, measured: np.ndarray) -> Motion:
        """The filters after observing (T, 4) boxes."""
        return self.fused(measured, (MEASUREMENT * sizes(measured)) ** 2)


def refilled(seen: Motion, observed: np.ndarray, measured: np.ndarray, unseen: np.ndarray, step: float) -> Motion:
    """Filters of people who were out of sight, as if they had been observed on the straight line in between.

    What a filter predicts without observations drifts off, and its velocity with it. Source: observation-centric re-update, Cao
    et al., Observation-Centric SORT, CVPR 2023, 4.1.

    Args:
        seen: (T,) states right after the last observation.
        observed: (T, 4) the last observation.
        measured: (T, 4) the new one.
        unseen: (T,) seconds between the two.
        step: seconds between frames.
    """
    steps = int(np.clip(np.ceil(unseen.max() / step), 1, MOST_STEPS))
    state = seen[np.arange(len(observed))]
    for number in range(1, steps + 1):
        state.predict(unseen[:, None] / steps)
        state = state.corrected(observed + (measured - observed) * (number / steps))
    return state


def sizes(centered: np.ndarray) -> np.ndarray:
    """(T, 1) longer sides."""
    return np.maximum(centered[:, 2:].max(axis=1, initial=SMALLEST_SIDE, keepdims=True), SMALLEST_SIDE)


def centered_boxes(boxes_xyxy: np.ndarray) -> np.ndarray:
    """(T, 4) two corners to centre and size; sides of at least a pixel."""
    boxes = np.asarray(boxes_xyxy, np.float64).reshape(-1, 4)
    side = np.maximum(boxes[:, 2:] - boxes[:, :2], SMALLEST_SIDE)
    return np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, side], axis=1)


def corner_boxes(centered: np.ndarray) -> np.ndarray:
    """(T, 4) centre and size to two corners."""
    half = centered[:, 2:] / 2
    return np.concatenate([centered[:, :2] - half, centered[:, :2] + half], axis=1)
