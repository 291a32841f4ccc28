"""Tracking and smoothing in one stream of frames."""
from __future__ import annotations

import threading
from dataclasses import replace

from ppdet.inference.results import PoseResult
from ppdet.inference.tracking.smoothing import REFERENCE_FPS, PoseSmoother
from ppdet.inference.tracking.tracker import PersonTracker
from ppdet.skeletons import Skeleton


class StreamTracker:
    """Gives the people of consecutive frames identities and, if wanted, smooths their keypoints. One per video or camera.

    Args:
        skeleton: of the results.
        filter_type: "OneEuro" or "EMA" to smooth each person's keypoints over time, None not to.
        fps: frames per second, so that smoothing has the same time constant at every frame rate.

    Raises:
        ConfigError: an unknown filter.
    """

    def __init__(self, skeleton: Skeleton, filter_type: str | None = None, fps: float = REFERENCE_FPS) -> None:
        self._tracker = PersonTracker(skeleton.sigmas)
        self._smoother = None if filter_type is None else PoseSmoother(filter_type, fps)
        self._lock = threading.Lock()

    def update(self, result: PoseResult) -> PoseResult:
        """The result of the next frame with `track_ids`, and with smoothed keypoints if wanted."""
        with self._lock:
            identities = self._tracker.update(result.boxes, result.keypoints)
            if self._smoother is None:
                return replace(result, track_ids=identities)
            smoothed = self._smoother.smooth(result.keypoints, result.scores, identities, result.boxes)
            self._smoother.keep_only(self._tracker.identities)
            return replace(result, keypoints=smoothed, track_ids=identities)
