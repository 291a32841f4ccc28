"""Motion of boxes per frame, as in the published FairMOT: (centre x, centre y, width / height, height).

Legend: T tracks, N boxes of this frame.

Source of the filter and its noise: Wojke, Bewley and Paulus, Simple Online and Realtime Tracking with a Deep Association Metric,
ICIP 2017. Its eight-dimensional filter does not couple the coordinates, so it is four filters of two states.
"""
from __future__ import annotations

import numpy as np

from ppdet.inference.tracking.filters import Filters

# Standard deviations in heights of the box: of a position, and of a velocity per frame.
POSITION, VELOCITY = 1 / 20, 1 / 160
# Those of the ratio of width to height, which has no unit: of a new box and per frame, of its velocity, of a measurement.
RATIO, RATIO_VELOCITY, MEASURED_RATIO = 1e-2, 1e-5, 1e-1
# Factors on the deviations of a new box: known half as well as a measured one, and its velocity hardly at all.
NEW_POSITION, NEW_VELOCITY = 2.0, 10.0
#: .95 quantile of the chi-squared distribution with four degrees of freedom.
GATE = 9.4877
IS_RATIO = np.array([False, False, True, False])


class BoxMotion(Filters):
    """Filters of (T, 4) cx, cy, w / h, h; velocities are per frame."""

    @classmethod
    def start(cls, measured: np.ndarray) -> BoxMotion:
        """Filters of boxes seen for the first time at (T, 4) cx, cy, w / h, h."""
        zero = np.zeros_like(measured)
        position = deviations(measured, NEW_POSITION * POSITION, RATIO)
        velocity = deviations(measured, NEW_VELOCITY * VELOCITY, RATIO_VELOCITY)
        return cls(measured.copy(), zero, position**2, zero.copy(), velocity**2)

    def predict(self, lost: np.ndarray) -> None:
        """Move on by a frame, in place. The height of those who are lost, (T,) bool, does not change."""
        position, velocity = deviations(self.mean, POSITION, RATIO), deviations(self.mean, VELOCITY, RATIO_VELOCITY)
        self.velocity[lost, 3] = 0.0
        self.advance(1.0)
        self.value_variance += position**2
        self.velocity_variance += velocity**2

    def measurement_variance(self) -> np.ndarray:
        """(T, 4) variance of the noise of a measured box."""
        return deviations(self.mean, POSITION, MEASURED_RATIO) ** 2

    def corrected(self, measured: np.ndarray) -> BoxMotion:
        """The filters after observing (T, 4) boxes."""
        return self.fused(measured, self.measurement_variance())

    def distances(self, measured: np.ndarray) -> np.ndarray:
        """(T, N) squared Mahalanobis distances of (N, 4) boxes."""
        total = self.value_variance + self.measurement_variance()
        return ((measured[None] - self.mean[:, None]) ** 2 / total[:, None]).sum(axis=2)


def deviations(boxes: np.ndarray, share: float, ratio: float) -> np.ndarray:
    """(T, 4) standard deviations: a share of the height, and a number for the ratio."""
    return np.where(IS_RATIO, ratio, share * boxes[:, 3:4])


def ratio_boxes(boxes_xyxy: np.ndarray) -> np.ndarray:
    """(N, 4) two corners to cx, cy, w / h, h."""
    boxes = np.asarray(boxes_xyxy, np.float64).reshape(-1, 4)
    side = boxes[:, 2:] - boxes[:, :2]
    return np.concatenate([boxes[:, :2] + side / 2, side[:, :1] / side[:, 1:], side[:, 1:]], axis=1)


def boxes_of_ratios(ratios: np.ndarray) -> np.ndarray:
    """(N, 4) cx, cy, w / h, h to two corners."""
    half = np.stack([ratios[:, 2] * ratios[:, 3], ratios[:, 3]], axis=1) / 2
    return np.concatenate([ratios[:, :2] - half, ratios[:, :2] + half], axis=1)
