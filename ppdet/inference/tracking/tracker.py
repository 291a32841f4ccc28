"""Tracks people from frame to frame: which person of the previous frames is this?

Tracking by detection in the way of ByteTrack (Zhang et al., ECCV 2022: boxes of low score continue tracks, but start none) and
OC-SORT (Cao et al., CVPR 2023: a gap is filled between observations, and a person who is not where predicted may be where last
seen), with the keypoints as a second measure beside the boxes. Motion is in seconds, so that frame rates and dropped frames do
not matter.

Legend: N people of this frame, T tracks, K keypoints.
"""
from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from ppdet.inference.tracking.association import camera_shift, enlarged, match, similarities
from ppdet.inference.tracking.motion import centered_boxes, corner_boxes
from ppdet.inference.tracking.settings import TrackerSettings
from ppdet.inference.tracking.tracks import Tracks

DEFAULT_FPS = 30.0
# Keypoints below this score say nothing about where a person is.
VISIBLE_SCORE = 0.2
# Seconds after the last sighting: how long people may come back as boxes of low score, as when they emerge from behind
# something; and when people who walked over the edge of the image are gone.
LOW_SCORE_SECONDS, LEFT_SECONDS = 0.5, 0.15
# Over time steps longer than this no motion can be predicted; the nominal time between frames counts instead.
LONGEST_STEP = 1.0
# Tracks that are unconfirmed or out of sight give way to others: the most that is taken off their similarity.
PENALTY = 0.1
# Second chance at the place where a person was last seen: boxes enlarged by this share, and the least IoU of these.
BUFFER, LEAST_BUFFERED = 0.5, 0.3
# Boxes of low score are often of nobody, or of two people at once: they must fit better.
LEAST_LOW = 0.35
NOBODY = 0


class PersonTracker:
    """Gives the people of consecutive frames identities: whole numbers from 1 on that are never reused.

    Args:
        sigmas: (K,) of the skeleton.
        settings: None takes the defaults.
        fps: frames per second, for frames without a time stamp.

    Attributes:
        persons: identities so far that were seen in `min_hits` frames.
    """

    def __init__(self, sigmas: np.ndarray, settings: TrackerSettings | None = None, fps: float = DEFAULT_FPS) -> None:
        self.sigmas = np.asarray(sigmas, np.float64)
        self.settings = TrackerSettings() if settings is None else settings
        self.frame_seconds = 1.0 / fps if math.isfinite(fps) and fps > 0 else 1.0 / DEFAULT_FPS
        self.persons = 0
        self._tracks = Tracks.none(len(self.sigmas))
        self._next_identity = 1
        self._seconds: float | None = None
        self._is_first = True

    def update(
        self,
        boxes: np.ndarray,
        keypoints: np.ndarray,
        scores: np.ndarray | None = None,
        keypoint_scores: np.ndarray | None = None,
        seconds: float | None = None,
        image_wh: tuple[int, int] | None = None,
    ) -> np.ndarray:
        """Associate the people of the next frame.

        Args:
            boxes: (N, 4) xyxy.
            keypoints: (N, K, 2).
            scores: (N,) of the boxes, for `high_score` and `low_score`; None: all are people.
            keypoint_scores: (N, K); None: all keypoints count.
            seconds: time of the frame; None: the frame rate's.
            image_wh: size of the frame: a person who walks out at its left or right edge does not come back as the same. None:
                unknown.

        Returns:
            (N,) int64 identities; 0 for a box below `high_score` that continues no track, or one that is not finite.
        """
        step = self._step(seconds)
        found = centered_boxes(boxes)
        usable = np.isfinite(found).all(axis=1)
        visible = np.isfinite(keypoints).all(axis=2)
        if keypoint_scores is not None:
            visible &= np.asarray(keypoint_scores) >= VISIBLE_SCORE
        points = np.where(visible[..., None], keypoints, 0.0)
        high, low = self._levels(scores, usable)
        self._tracks.predict(step)
        columns = self._associate(found, points, visible, high, low, step)
        identities = np.full(len(found), NOBODY, np.int64)
        matched = np.flatnonzero(columns >= 0)
        self._observe(columns[matched], found[matched], points[matched], visible[matched])
        identities[matched] = self._tracks.identity[columns[matched]]
        self._drop_lost(image_wh)
        new = high[columns[high] < 0]
        if len(new):
            identities[new] = self._start(found[new], points[new], visible[new])
        self._is_first = False
        return identities

    @property
    def identities(self) -> set[int]:
        """Identities that are in sight or may come back."""
        return set(self._tracks.identity.tolist())

    def expected_boxes(self, seconds: float | None = None) -> np.ndarray:
        """(M, 4) xyxy: where the people seen in the last frames are expected in the next one, at its time."""
        ahead = self._tracks.motion[self._tracks.unseen <= LOW_SCORE_SECONDS]
        ahead.predict(self._step(seconds, keep=False))
        return corner_boxes(ahead.mean)

    def cut(self) -> None:
        """End all identities: the next frame shows another scene."""
        self._tracks = Tracks.none(len(self.sigmas))
        self._is_first = True

    def rename(self, names: Mapping[int, int], largest: int) -> None:
        """Continue an earlier run: give identities the numbers that they had there.

        Args:
            names: identities of this tracker and their new numbers; others end.
            largest: highest number that was given there; new people come after it.
        """
        known = np.array([identity in names for identity in self._tracks.identity.tolist()], bool)
        self._tracks = self._tracks.kept(known)
        self._tracks.identity = np.array([names[identity] for identity in self._tracks.identity.tolist()], np.int64)
        self._next_identity = largest + 1

    def _step(self, seconds: float | None, keep: bool = True) -> float:
        """Seconds since the last frame; the nominal ones if there is no stamp or it jumps."""
        passed = math.nan if seconds is None or self._seconds is None else seconds - self._seconds
        if keep:
            self._seconds = seconds
        return passed if 0 < passed <= LONGEST_STEP else self.frame_seconds

    def _levels(self, scores: np.ndarray | None, usable: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows of people, and of boxes that may continue a track."""
        if scores is None or self.settings.high_score is None:
            return np.flatnonzero(usable), np.zeros(0, np.int64)
        scores = np.asarray(scores)
        is_high = usable & (scores >= self.settings.high_score)
        return np.flatnonzero(is_high), np.flatnonzero(usable & ~is_high & (scores >= self.settings.low_score))

    def _associate(
        self, found: np.ndarray, points: np.ndarray, visible: np.ndarray, high: np.ndarray, low: np.ndarray, step: float
    ) -> np.ndarray:
        """(N,) index of each person's track, or -1."""
        tracks, settings = self._tracks, self.settings
        columns = np.full(len(found), -1)
        if not len(found) or not len(tracks):
            return columns
        was_in_sight = tracks.unseen <= step * 1.001
        if settings.camera_motion:
            shift = camera_shift(found[np.concatenate([high, low])], tracks.motion.mean[was_in_sight])
            if shift is not None:
                tracks.shift(shift)
        similarity = similarities(found, points, visible, tracks.motion.mean, tracks.expected_keypoints(), tracks.visible,
                                  self.sigmas, settings.oks_weight)
        age = np.minimum(tracks.unseen / max(settings.reentry_seconds, 1e-6), 1.0) * ~was_in_sight
        similarity -= np.where(similarity > 0, PENALTY * np.maximum(age, ~tracks.confirmed), 0.0)
        rows, chosen = match(similarity[high], settings.min_similarity)
        columns[high[rows]] = chosen
        free = np.ones(len(tracks), bool)
        free[chosen] = False
        if len(low):
            candidates = np.flatnonzero(free & (tracks.unseen <= step + LOW_SCORE_SECONDS))
            rows, chosen = match(similarity[np.ix_(low, candidates)], max(settings.min_similarity, LEAST_LOW))
            columns[low[rows]] = candidates[chosen]
            free[candidates[chosen]] = False
        left, candidates = high[columns[high] < 0], np.flatnonzero(free & tracks.confirmed)
        if len(left) and len(candidates):
            near = similarities(enlarged(found[left], BUFFER), points[left], visible[left],
                                enlarged(tracks.observed[candidates], BUFFER), points[left], visible[left], self.sigmas, 0.0)
            rows, chosen = match(near, LEAST_BUFFERED)
            columns[left[rows]] = candidates[chosen]
        return columns

    def _observe(self, columns: np.ndarray, found: np.ndarray, points: np.ndarray, visible: np.ndarray) -> None:
        """Put the new observations into their tracks."""
        if len(columns):
            newly = self._tracks.observe(columns, found, points, visible, self.frame_seconds, self.settings.min_hits)
            self.persons += newly

    def _drop_lost(self, image_wh: tuple[int, int] | None) -> None:
        tracks = self._tracks
        if not tracks.unseen.any():
            return
        keep = (tracks.unseen <= 0) | (tracks.confirmed & (tracks.unseen <= self.settings.reentry_seconds))
        if image_wh is not None:
            keep &= (tracks.unseen <= LEFT_SECONDS) | ~tracks.walked_out(image_wh[0])
        if not keep.all():
            self._tracks = tracks.kept(keep)

    def _start(self, found: np.ndarray, points: np.ndarray, visible: np.ndarray) -> np.ndarray:
        identities = np.arange(self._next_identity, self._next_identity + len(found))
        self._next_identity += len(found)
        confirmed = self._is_first or self.settings.min_hits <= 1
        self.persons += len(found) if confirmed else 0
        self._tracks = self._tracks.joined(Tracks.start(identities, found, points, visible, confirmed))
        return identities


