"""Takes the jitter out of keypoints over time, for each person by himself.

Legend: N people, K keypoints.
"""
from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from ppdet.core.errors import ConfigError

FILTERS = ("OneEuro", "EMA")
# One-Euro parameters are stated for a person of this size in pixels, so that the same movement is smoothed alike near and far.
REFERENCE_SIZE = 200.0
# ... and for this frame rate.
REFERENCE_FPS = 30.0


class OneEuroFilter:
    """Low-pass whose cut-off rises with speed: still points rest, fast ones do not lag.

    Source: Casiez, Roussel and Vogel, CHI 2012. Any number of points, all at once. Parameters are PaddleDetection's, in
    units of one frame at 30 frames a second.

    Args:
        frame_step: time between frames in 30ths of a second.
        min_cutoff: cut-off of a point at rest.
        beta: how much the cut-off rises with speed.
        speed_cutoff: cut-off of the speed's own filter.
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
            restart: (K,) bool; these points forget their past and take the value as it is.
            unit: pixels in one unit of speed.
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
    """Exponential moving average: half old, half new at 30 frames a second, as PaddleDetection has it.

    Args:
        frame_step: time between frames in 30ths of a second.
        alpha: share of the new value.
    """

    def __init__(self, frame_step: float = 1.0, alpha: float = 0.5) -> None:
        self.alpha = 1.0 - (1.0 - alpha) ** frame_step
        self._value: np.ndarray | None = None

    def __call__(self, value: np.ndarray, restart: np.ndarray, unit: float = 1.0) -> np.ndarray:
        """Filter one frame; see `OneEuroFilter.__call__` (the unit does not matter here)."""
        if self._value is None:
            self._value = value.copy()
            return value.copy()
        self._value = self.alpha * value + (1.0 - self.alpha) * self._value
        self._value[restart] = value[restart]
        return self._value.copy()


class PoseSmoother:
    """One filter for each identity; a filter goes when its person goes.

    Args:
        filter_type: "OneEuro" or "EMA".
        fps: frames a second, so that smoothing has the same time constant at every frame rate.
        visible_threshold: a keypoint that was below this and comes back starts afresh instead of sliding in.

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
            boxes: (N, 4), the people's sizes.

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
        """Forget everybody else."""
        remembered = set(identities)
        for identity in set(self._filters) - remembered:
            del self._filters[identity], self._was_visible[identity]


def smoothing_factor(cutoff: np.ndarray | float, step: float) -> np.ndarray | float:
    """Share of the new value in a first-order low-pass."""
    time_constant = 1.0 / (2.0 * math.pi * cutoff)
    return 1.0 / (1.0 + time_constant / step)
