"""Smooths keypoints over time, per person.

Legend: N people, K keypoints.
"""
from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from ppdet.core.errors import ConfigError

FILTERS = ("OneEuro", "EMA")
# One-Euro parameters hold for a person of this size in pixels; speeds are scaled so that near and far people are smoothed alike.
REFERENCE_SIZE = 200.0
# They also hold for this frame rate.
REFERENCE_FPS = 30.0


class OneEuroFilter:
    """Low-pass filter whose cut-off rises with speed: points at rest do not jitter, fast ones do not lag.

    Source: Casiez, Roussel and Vogel, CHI 2012. Filters any number of points at once. Parameters are PaddleDetection's, in
    units of one frame at 30 frames per second.

    Args:
        frame_step: time between frames in units of 1/30 s.
        min_cutoff: cut-off of a point at rest.
        beta: how much the cut-off rises with speed.
        speed_cutoff: cut-off of the filter of the speed.
    """

    def __init__(self, frame_step: float = 1.0, min_cutoff: float = 0.1, beta: float = 0.05, speed_cutoff: float = 0.1) -> None:
        self.frame_step = frame_step
        self.min_cutoff = min_cutoff
        self.beta = beta
        self.speed_cutoff = speed_cutoff
        self._value: np.ndarray | None = None
        self._speed: np.ndarray | None = None

    def __call__(self, value: np.ndarray, restart: np.ndarray, unit: float = 1.0) -> np.ndarray:
        """Filter one frame.

        Args:
            value: (K, 2) pixels.
            restart: (K,) bool; these points are reset to the value given.
            unit: pixels per unit of speed.
        """
        if self._value is None or self._speed is None:
            self._value, self._speed = value.copy(), np.zeros_like(value)
            return value.copy()
        speed = (value - self._value) / (unit * self.frame_step)
        blend = smoothing_factor(self.speed_cutoff, self.frame_step)
        self._speed = blend * speed + (1.0 - blend) * self._speed
        magnitude = np.linalg.norm(self._speed, axis=1, keepdims=True)
        alpha = smoothing_factor(self.min_cutoff + self.beta * magnitude, self.frame_step)
        self._value = alpha * value + (1.0 - alpha) * self._value
        self._value[restart] = value[restart]
        self._speed[restart] = 0.0
        return self._value.copy()


class EMAFilter:
    """Exponential moving average: half old, half new at 30 frames per second, as in PaddleDetection.

    Args:
        frame_step: time between frames in units of 1/30 s.
        alpha: share of the new value.
    """

    def __init__(self, frame_step: float = 1.0, alpha: float = 0.5) -> None:
        self.alpha = 1.0 - (1.0 - alpha) ** frame_step
        self._value: np.ndarray | None = None

    def __call__(self, value: np.ndarray, restart: np.ndarray, unit: float = 1.0) -> np.ndarray:
        """Filter one frame; see `OneEuroFilter.__call__` (`unit` is not used)."""
        if self._value is None:
            self._value = value.copy()
            return value.copy()
        self._value = self.alpha * value + (1.0 - self.alpha) * self._value
        self._value[restart] = value[restart]
        return self._value.copy()


class PoseSmoother:
    """One filter per identity; `keep_only` drops the filters of people who left.

    Args:
        filter_type: "OneEuro" or "EMA".
        fps: frames per second, so that smoothing has the same time constant at every frame rate.
        visible_threshold: a keypoint that was below this score and reappears is reset instead of sliding in.

    Raises:
        ConfigError: an unknown filter.
    """

    def __init__(self, filter_type: str = "OneEuro", fps: float = REFERENCE_FPS, visible_threshold: float = 0.2) -> None:
        if filter_type not in FILTERS:
            raise ConfigError(f"filter_type {filter_type!r} is unknown: give {' or '.join(FILTERS)}")
        self.filter_type = filter_type
        usable = math.isfinite(fps) and fps > 0
        self.frame_step = REFERENCE_FPS / fps if usable else 1.0
        self.visible_threshold = visible_threshold
        self._filters: dict[int, OneEuroFilter | EMAFilter] = {}
        self._was_visible: dict[int, np.ndarray] = {}

    def smooth(self, keypoints: np.ndarray, scores: np.ndarray, identities: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """Smooth a frame.

        Args:
            keypoints: (N, K, 2) image pixels.
            scores: (N, K).
            identities: (N,) from `PersonTracker`.
            boxes: (N, 4) xyxy, for the size of each person.

        Returns:
            (N, K, 2) float32.
        """
        smoothed = np.array(keypoints, np.float64)
        for row, identity in enumerate(int(number) for number in identities):
            if identity not in self._filters:
                kind = OneEuroFilter if self.filter_type == "OneEuro" else EMAFilter
                self._filters[identity] = kind(self.frame_step)
                self._was_visible[identity] = np.zeros(keypoints.shape[1], bool)
            visible = scores[row] >= self.visible_threshold
            size = max(float(np.max(boxes[row][2:] - boxes[row][:2])), 1.0)
            restart = visible & ~self._was_visible[identity]
            smoothed[row] = self._filters[identity](smoothed[row], restart, size / REFERENCE_SIZE)
            self._was_visible[identity] = visible
        return smoothed.astype(np.float32)

    def keep_only(self, identities: Iterable[int]) -> None:
        """Drop the filters of all other identities."""
        remembered = set(identities)
        for identity in set(self._filters) - remembered:
            del self._filters[identity], self._was_visible[identity]


def smoothing_factor(cutoff: np.ndarray | float, step: float) -> np.ndarray | float:
    """Weight of the new value in a first-order low-pass filter."""
    time_constant = 1.0 / (2.0 * math.pi * cutoff)
    return 1.0 / (1.0 + time_constant / step)
