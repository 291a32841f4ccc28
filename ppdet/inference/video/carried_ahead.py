"""Finds the people of a frame while the tracker is still busy with the frame before, for a detector that skips frames.

A frame that is not looked at by the detector follows from the last poses alone. Only where the detector looks does it need the
tracker, and the tracker's word on who counts.
"""
from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

import numpy as np

from ppdet.inference.people_finder import Found
from ppdet.inference.redetection.interval_finder import IntervalFinder
from ppdet.inference.stage_timer import StageTimer
from ppdet.inference.tracking.stream import StreamTracker
from ppdet.inference.video.background import BackgroundSource
from ppdet.inference.video.reader import Frame


class CarriedAhead:
    """Iterates over frames and who is in them; None for a frame that did not decode. The results are those without a thread.

    Args:
        interval: finds the people; used by the thread alone from now on.
        frames: in order.
        tracker: updated by the caller, who calls `done` for each frame that decoded.
        timer: records the stages.
    """

    def __init__(
        self, interval: IntervalFinder, frames: Iterable[Frame], tracker: StreamTracker, timer: StageTimer
    ) -> None:
        self._interval, self._tracker, self._timer = interval, tracker, timer
        self._turn = threading.Condition()
        self._with_tracker = 0
        self._kept = np.zeros(0, bool)
        self._closed = False
        self._source = BackgroundSource(self._found(frames), ahead=1)

    def __iter__(self) -> Iterator[tuple[Frame, Found | None]]:
        return iter(self._source)

    def done(self, kept: np.ndarray) -> None:
        """The tracker has seen the frame that came last.

        Args:
            kept: (N,) bool, see `IntervalFinder.follow`.
        """
        with self._turn:
            self._kept = kept
            self._with_tracker -= 1
            self._turn.notify()

    def close(self) -> None:
        """Stop, and wait for the threads."""
        with self._turn:
            self._closed = True
            self._turn.notify()
        self._source.close()
        self._interval.close()

    def _found(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Found | None]]:
        has_looked = False
        for frame in frames:
            if frame.image is None:
                yield frame, None
                continue
            if has_looked and not self._tracker_is_done():
                return
            if has_looked:
                self._interval.follow(self._kept)
            with self._timer.stage("track"):
                is_cut = self._tracker.sees_cut(frame.image)
            found = self._interval.carried_people(frame.image, is_cut)
            has_looked = found is None
            if found is None:
                if not self._tracker_is_done():
                    return
                with self._timer.stage("track"):
                    expected = self._tracker.expected(is_cut, frame.timestamp_ms)
                found = self._interval.detected_people(frame.image, expected, self._tracker.settings.low_score)
            with self._turn:
                self._with_tracker += 1
            yield frame, found

    def _tracker_is_done(self) -> bool:
        """Wait until the tracker has seen all frames so far; False if nobody wants any more."""
        with self._turn:
            self._turn.wait_for(lambda: self._closed or not self._with_tracker)
            return not self._closed
