"""Smooths keypoints online, per person: each frame as it comes. For recorded videos see `recorded`.

Legend: N people of a frame, M people remembered, K keypoints.
"""
from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from ppdet.core.errors import ConfigError

FILTERS = ("OneEuro", "EMA")
# One-Euro parameters hold for a person of this size in pixels; speeds are scaled so that near and far people are smoothed alike.
REFERENCE_SIZE = 200.0
# They are PaddleDetection's, in units of one frame at this rate; elapsed time is converted to such frames.
REFERENCE_FPS = 30.0
# Cut-off of a point at rest, how much it rises with speed, and cut-off of the filter of the speed.
MIN_CUTOFF, BETA, SPEED_CUTOFF = 0.1, 0.05, 0.1
# Share of the new value in the exponential moving average.
EMA_SHARE = 0.5
# Somebody unseen for longer, in seconds, starts afresh instead of sliding to the new place.
LONGEST_GAP = 1.0


class PoseSmoother:
    """One filter per identity; `keep_only` drops the filters of people who left.

    "OneEuro" is a low-pass filter whose cut-off rises with speed: points at rest do not jitter, fast ones do not lag (Casiez,
    Roussel and Vogel, CHI 2012). "EMA" is an exponential moving average. Both have the same time constants at every frame rate,
    and across dropped frames.

    Args:
        filter_type: "OneEuro" or "EMA".
        fps: frames per second, for frames without a time stamp.
        visible_threshold: a keypoint that was below this score and reappears is reset instead of sliding in.

    Attributes:
        frame_step: nominal time between frames in units of 1/30 s.

    Raises:
        ConfigError: an unknown filter.
    """

    def __init__(self, filter_type: str = "OneEuro", fps: float = REFERENCE_FPS, visible_threshold: float = 0.2) -> None:
        if filter_type not in FILTERS:
            raise ConfigError(f"filter_type {filter_type!r} cannot smooth frame by frame: give {' or '.join(FILTERS)}; savgol "
                              "and butterworth are for a whole video, with `process_video` or --smooth savgol")
        self.filter_type = filter_type
        usable = math.isfinite(fps) and fps > 0
        self.frame_step = REFERENCE_FPS / fps if usable else 1.0
        self.visible_threshold = visible_threshold
        self._clock = 0.0
        self._stamp: float | None = None
        self._rows: dict[int, int] = {}
        self._values = self._speeds = np.zeros((0, 0, 2))
        self._visible = np.zeros((0, 0), bool)
        self._times = np.zeros(0)

    def smooth(
        self, keypoints: np.ndarray, scores: np.ndarray, identities: np.ndarray, boxes: np.ndarray, seconds: float | None = None
    ) -> np.ndarray:
        """Smooth a frame.

        Args:
            keypoints: (N, K, 2) image pixels.
            scores: (N, K).
            identities: (N,) from `PersonTracker`, each once.
            boxes: (N, 4) xyxy, for the size of each person.
            seconds: time of the frame; None: the frame rate's.

        Returns:
            (N, K, 2) float32.
        """
        self._advance(seconds)
        if not len(keypoints):
            return np.array(keypoints, np.float32)
        keypoints = np.asarray(keypoints, np.float64)
        rows = self._rows_of(identities.tolist(), keypoints)
        visible = np.asarray(scores) >= self.visible_threshold
        step = (self._clock - self._times[rows])[:, None, None]
        restart = (visible & ~self._visible[rows]) | (step[:, 0] > LONGEST_GAP * REFERENCE_FPS)
        step = np.maximum(step, 1e-3)
        if self.filter_type == "EMA":
            share = 1.0 - (1.0 - EMA_SHARE) ** step
        else:
            sizes = np.maximum((boxes[:, 2:] - boxes[:, :2]).max(axis=1), 1.0)[:, None, None] / REFERENCE_SIZE
            share = self._one_euro_share(keypoints, rows, step, sizes, restart)
        values = self._values[rows]
        values += share * (keypoints - values)
        values[restart] = keypoints[restart]
        self._values[rows], self._visible[rows], self._times[rows] = values, visible, self._clock
        return values.astype(np.float32)

    def keep_only(self, identities: Iterable[int]) -> None:
        """Drop the filters of all other identities."""
        remembered = set(identities)
        if remembered.issuperset(self._rows):
            return
        kept = [identity for identity in self._rows if identity in remembered]
        rows = [self._rows[identity] for identity in kept]
        self._values, self._speeds = self._values[rows], self._speeds[rows]
        self._visible, self._times = self._visible[rows], self._times[rows]
        self._rows = {identity: row for row, identity in enumerate(kept)}

    def _advance(self, seconds: float | None) -> None:
        """Move the clock, which counts frames of 1/30 s; a stamp that stands still or runs backwards counts as one frame."""
        passed = math.nan if seconds is None or self._stamp is None else (seconds - self._stamp) * REFERENCE_FPS
        self._clock += passed if 0 < passed < math.inf else self.frame_step
        self._stamp = seconds

    def _rows_of(self, identities: list[int], keypoints: np.ndarray) -> np.ndarray:
        """(N,) where each person's state is; newcomers start where they are."""
        new = [place for place, identity in enumerate(identities) if identity not in self._rows]
        if new:
            shape = keypoints.shape[1:]
            first = keypoints[new]
            start = len(self._rows)
            self._values = np.concatenate([self._values.reshape(-1, *shape), first])
            self._speeds = np.concatenate([self._speeds.reshape(-1, *shape), np.zeros_like(first)])
            self._visible = np.concatenate([self._visible.reshape(-1, shape[0]), np.zeros(first.shape[:2], bool)])
            self._times = np.concatenate([self._times, np.full(len(new), self._clock)])
            self._rows.update({identities[place]: start + number for number, place in enumerate(new)})
        return np.array([self._rows[identity] for identity in identities])

    def _one_euro_share(
        self, keypoints: np.ndarray, rows: np.ndarray, step: np.ndarray, unit: np.ndarray, restart: np.ndarray
    ) -> np.ndarray:
        """(N, K, 1) share of the new value; updates the speeds."""
        speed = (keypoints - self._values[rows]) / (unit * step)
        old = self._speeds[rows]
        filtered = old + smoothing_factor(SPEED_CUTOFF, step) * (speed - old)
        filtered[restart] = 0.0
        self._speeds[rows] = filtered
        magnitude = np.sqrt(np.square(filtered).sum(axis=2, keepdims=True))
        return smoothing_factor(MIN_CUTOFF + BETA * magnitude, step)


def smoothing_factor(cutoff: np.ndarray | float, step: np.ndarray | float) -> np.ndarray:
    """Weight of the new value in a first-order low-pass filter."""
    time_constant = 1.0 / (2.0 * math.pi * np.asarray(cutoff))
    return 1.0 / (1.0 + time_constant / step)
