"""Decides for each frame of a stream whether the detector must run."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Union

from ppdet.core.errors import ConfigError

ADAPTIVE = "adaptive"
Interval = Union[int, str]
# Adaptive: frames between two runs to begin with, and the longest time in seconds for which somebody new may go unnoticed.
FIRST_INTERVAL, LONGEST_SECONDS = 2, 0.5
FEWEST_LONGEST = 4


def checked_interval(interval: Interval) -> Interval:
    """A valid interval: a number of frames, or "adaptive".

    Raises:
        ConfigError: anything else.
    """
    if interval == ADAPTIVE or isinstance(interval, int) and not isinstance(interval, bool) and interval >= 1:
        return interval
    raise ConfigError(f"det_interval is {interval!r}: give 1 for the detector on every frame, a number of frames, or {ADAPTIVE}")


@dataclass
class Schedule:
    """The interval of a stream, and what it has learned.

    Args:
        interval: frames from one run of the detector to the next, or "adaptive": doubled each time that the detector finds the
            known people and nobody else, up to half a second, and short again when it does not.
        fps: frames per second.
    """

    interval: Interval
    fps: float

    def __post_init__(self) -> None:
        checked_interval(self.interval)
        fps = self.fps if math.isfinite(self.fps) and self.fps > 0 else 30.0
        self._longest = max(FEWEST_LONGEST, round(LONGEST_SECONDS * fps))
        self._now = FIRST_INTERVAL if self.interval == ADAPTIVE else int(self.interval)
        self._since = math.inf
        self._patience, self._deaf = 1, 0

    def is_due(self, is_cut: bool, is_moving: bool) -> bool:
        """Whether the detector must run on the next frame.

        Args:
            is_cut: another scene begins.
            is_moving: something moves at the border. If it was nobody the last times, as with a moving camera, it counts less
                often.
        """
        self._since += 1
        self._deaf = max(0, self._deaf - 1)
        self._by_motion = is_moving and not self._deaf and self._since < self._now and not is_cut
        return is_cut or self._since >= self._now or self._by_motion

    def looked(self, agrees: bool, was_expected: bool = True) -> None:
        """Record a run of the detector.

        Args:
            agrees: it found the people who were known and nobody else.
            was_expected: it ran because it was due, not because a pose was doubtful.
        """
        if self.interval == ADAPTIVE:
            self._now = min(2 * self._now, self._longest) if agrees and was_expected else FIRST_INTERVAL
        if self._by_motion:
            self._patience = min(2 * self._patience, self._longest) if agrees else 1
            self._deaf = self._patience
        self._since = 0
