"""Tracking and smoothing in one stream of frames."""
from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np

from ppdet.core.errors import DataError
from ppdet.inference.results import PoseResult
from ppdet.inference.tracking.follower import Followed, Follower
from ppdet.inference.tracking.jitter import Jitter
from ppdet.inference.tracking.scene_cuts import SceneCuts
from ppdet.inference.tracking.settings import TrackerSettings
from ppdet.inference.tracking.smoothing import REFERENCE_FPS, PoseSmoother
from ppdet.inference.tracking.tracker import NOBODY, PersonTracker
from ppdet.inference.zones.counter import ZoneCounter
from ppdet.inference.zones.view import ZoneCount
from ppdet.inference.zones.zone import Zone
from ppdet.skeletons import Skeleton


class StreamTracker:
    """Gives the people of consecutive frames identities and, if wanted, smooths their keypoints. One per video or camera.

    Args:
        skeleton: of the results.
        filter_type: "OneEuro" or "EMA" to smooth each person's keypoints over time; None for no smoothing.
        fps: frames per second, for results without time stamps.
        settings: of the tracker; None takes the defaults.
        high_score: smallest score of a person's box, if the settings state none; None: all boxes are people.
        zones: entries and exits are counted, and people outside all zones are left out.
        follower: gives boxes identities before poses are estimated (see `follow`); None: poses are followed.

    Attributes:
        settings: of the tracker, with the score in effect.
        jitter: meters before and after smoothing.
        is_cut: whether the frame last given to `begin` starts another scene; False without `scene_cuts`.
        kept: (N,) bool: which people of the result last given to `update` were kept; the others had a low score.

    Raises:
        ConfigError: an unknown filter.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        filter_type: str | None = None,
        fps: float = REFERENCE_FPS,
        settings: TrackerSettings | None = None,
        high_score: float | None = None,
        zones: Sequence[Zone] = (),
        follower: Follower | None = None,
    ) -> None:
        settings = TrackerSettings() if settings is None else settings
        if settings.high_score is None:
            settings = replace(settings, high_score=high_score)
        self.settings = settings
        self._poses = PersonTracker(skeleton.sigmas, settings, fps)
        self._follower = follower
        self._tracker: PersonTracker | Follower = self._poses if follower is None else follower
        self._smoother = None if filter_type is None else PoseSmoother(filter_type, fps)
        self._cuts = SceneCuts() if settings.scene_cuts else None
        self._zones = ZoneCounter(zones) if zones else None
        self._lock = threading.Lock()
        self.is_cut = False
        self.kept = np.zeros(0, bool)
        self.jitter = (Jitter(fps), Jitter(fps))

    @property
    def persons(self) -> int:
        """How many different people were seen so far, in `min_hits` frames each; with zones, those who were in one."""
        return self._tracker.persons if self._zones is None else len(set().union(*self._zones.visitors))

    @property
    def zone_counts(self) -> dict[str, ZoneCount]:
        """The counts of each zone so far."""
        return {} if self._zones is None else {zone.name: count for zone, count in zip(self._zones.zones, self._zones.counts())}

    def resume(self, results: Sequence[PoseResult], largest_id: int) -> None:
        """Continue after the frames of an earlier run: people keep their identities. Not if `follows_boxes`: results hold no
        looks, so the frames must be read again, see `watch_again`.

        Args:
            results: last frames of that run in order, with `track_ids`.
            largest_id: highest identity that it gave.
        """
        assert self._follower is None, "results hold no looks"
        latest: dict[int, int] = {}
        with self._lock:
            for result in results:
                assert result.track_ids is not None
                identities = self._poses.update(result.boxes, result.keypoints, None, result.scores,
                                                seconds_of(result.timestamp_ms), result.image_wh)  # fmt: skip
                for earlier, identity in zip(result.track_ids.tolist(), identities.tolist()):
                    latest.pop(earlier, None)  # the last sighting counts, and comes last
                    latest[earlier] = identity
            self._poses.rename({identity: earlier for earlier, identity in latest.items()}, largest_id)

    def begin(self, image: np.ndarray, timestamp_ms: float | None = None) -> np.ndarray:
        """Look at the next frame before its people are known.

        Args:
            image: (H, W, 3) RGB uint8; a cut ends all identities.
            timestamp_ms: its time.

        Returns:
            (M, 4) xyxy boxes where the people of the last frame are expected; a box of low score there is worth a pose.
        """
        with self._lock:
            self.is_cut = self._cuts is not None and self._cuts.is_cut(image)
            if self.is_cut:
                self._tracker.cut()
            if self._follower is not None:
                return np.zeros((0, 4))
            return self._poses.expected_boxes(seconds_of(timestamp_ms))

    def ends_scene(self, upcoming: np.ndarray) -> bool:
        """Whether the next frame, (H, W, 3) RGB uint8, starts another scene than the one last given to `begin`."""
        with self._lock:
            return self._cuts is not None and self._cuts.will_be_cut(upcoming)

    @property
    def follows_boxes(self) -> bool:
        """Whether identities come from `follow`, before poses are estimated."""
        return self._follower is not None

    def follow(
        self, boxes_xyxy: np.ndarray, scores: np.ndarray, looks: np.ndarray | None, timestamp_ms: float | None = None
    ) -> Followed:
        """The people in sight, from (N, 4) boxes, (N,) scores and (N, D) looks; only if `follows_boxes`."""
        assert self._follower is not None
        with self._lock:
            return self._follower.follow(boxes_xyxy, scores, looks, seconds_of(timestamp_ms))

    def update(self, result: PoseResult) -> PoseResult:
        """The result of the next frame with `track_ids`, and with smoothed keypoints if wanted.

        People of a score below `high_score` who continue no identity are left out. The people of `follow` have theirs already.
        """
        with self._lock:
            seconds = seconds_of(result.timestamp_ms)
            self.kept = np.ones(len(result), bool)
            if self._follower is None:
                result = self._identified(result, seconds)
            if self._zones is not None:
                result = self._in_zones(result, self._zones)
            if self._smoother is None:
                return result
            assert result.track_ids is not None
            smoothed = self._smoother.smooth(result.keypoints, result.scores, result.track_ids, result.boxes, seconds)
            self._smoother.keep_only(self._tracker.identities)
            for meter, points in zip(self.jitter, (result.keypoints, smoothed)):
                meter.add(result.track_ids, points, result.scores, result.boxes)
            return replace(result, keypoints=smoothed)

    def _identified(self, result: PoseResult, seconds: float | None) -> PoseResult:
        identities = self._poses.update(result.boxes, result.keypoints, result.box_scores, result.scores, seconds,
                                        result.image_wh)  # fmt: skip
        result = replace(result, track_ids=identities)
        self.kept = identities != NOBODY
        return result if self.kept.all() else result.of(self.kept)

    def _in_zones(self, result: PoseResult, counter: ZoneCounter) -> PoseResult:
        """The people inside any zone, with the zones' counts."""
        assert result.track_ids is not None
        counter.keep_only(self._tracker.identities)
        view = counter.update(result.track_ids, result.boxes, result.image_wh)
        return replace(result, zones=view).of(np.flatnonzero(view.inside.any(axis=1)))


def stamp_of(seconds: Any) -> float | None:
    """Milliseconds of a time in seconds; None without one, or for one that is not finite.

    Raises:
        DataError: it is not a number.
    """
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, Real):
        raise DataError(f"seconds is {seconds!r}: give the time of the frame as a number, such as time.monotonic()")
    return float(seconds) * 1000.0 if math.isfinite(seconds) else None


def seconds_of(timestamp_ms: float | None) -> float | None:
    """Milliseconds as seconds; None stays None."""
    return None if timestamp_ms is None else timestamp_ms / 1000.0
