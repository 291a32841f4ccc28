"""The tracks of a stream as arrays, one row per track.

Legend: T tracks, K keypoints.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ppdet.inference.tracking.motion import Motion, refilled

# After more than this many frames out of sight, the filter is run again along the gap.
GAP_FRAMES = 1.5
# A box is at the edge within this share of its size, and moves outwards from this speed on, in sizes per second.
EDGE, OUTWARDS = 0.06, 0.1


@dataclass
class Tracks:
    """People in sight, and those who may come back.

    Attributes:
        identity: (T,) int64.
        confirmed: (T,) bool: seen often enough.
        hits: (T,) int64 frames in which they were seen.
        unseen: (T,) seconds since they were seen; 0 in sight.
        motion: their filters now.
        seen: their filters right after the last observation.
        observed: (T, 4) cx, cy, w, h of the last observation.
        keypoints: (T, K, 2) of the last observation.
        visible: (T, K) bool.
    """

    identity: np.ndarray
    confirmed: np.ndarray
    hits: np.ndarray
    unseen: np.ndarray
    motion: Motion
    seen: Motion
    observed: np.ndarray
    keypoints: np.ndarray
    visible: np.ndarray

    @classmethod
    def start(
        cls, identities: np.ndarray, found: np.ndarray, points: np.ndarray, visible: np.ndarray, confirmed: bool
    ) -> Tracks:
        """Tracks of people seen for the first time."""
        count = len(identities)
        return cls(np.asarray(identities, np.int64), np.full(count, confirmed), np.ones(count, np.int64), np.zeros(count),
                   Motion.start(found), Motion.start(found), found.copy(), points.copy(), visible.copy())

    @classmethod
    def none(cls, keypoints: int) -> Tracks:
        """No tracks, of so many keypoints."""
        return cls.start(np.zeros(0, np.int64), np.zeros((0, 4)), np.zeros((0, keypoints, 2)),
                         np.zeros((0, keypoints), bool), False)

    def __len__(self) -> int:
        return len(self.identity)

    def kept(self, rows: np.ndarray) -> Tracks:
        """Some of the tracks."""
        return Tracks(self.identity[rows], self.confirmed[rows], self.hits[rows], self.unseen[rows], self.motion[rows],
                      self.seen[rows], self.observed[rows], self.keypoints[rows], self.visible[rows])

    def joined(self, others: Tracks) -> Tracks:
        """These tracks, then the others."""
        def both(name: str) -> np.ndarray:
            return np.concatenate([getattr(self, name), getattr(others, name)])

        return Tracks(both("identity"), both("confirmed"), both("hits"), both("unseen"), self.motion.joined(others.motion),
                      self.seen.joined(others.seen), both("observed"), both("keypoints"), both("visible"))

    def predict(self, seconds: float) -> None:
        """Move all on in time; from here on they are unseen until `observe`."""
        self.motion.predict(seconds, self.unseen > 0)
        self.unseen += seconds

    def shift(self, xy: np.ndarray) -> None:
        """Move everything with the camera."""
        for boxes in (self.motion.mean, self.seen.mean, self.observed):
            boxes[:, :2] += xy
        self.keypoints += xy

    def expected_keypoints(self) -> np.ndarray:
        """(T, K, 2): the last keypoints, moved and scaled with the box."""
        scale = self.motion.mean[:, None, 2:] / self.observed[:, None, 2:]
        return (self.keypoints - self.observed[:, None, :2]) * scale + self.motion.mean[:, None, :2]

    def walked_out(self, width: int) -> np.ndarray:
        """(T,) bool: who was last seen at the left or right edge of an image of that width, moving outwards."""
        x, half = self.observed[:, 0], self.observed[:, 2] / 2
        size = self.observed[:, 2:].max(axis=1)
        speed = self.seen.velocity[:, 0] / size
        return ((x - half <= EDGE * size) & (speed < -OUTWARDS)) | ((x + half >= width - 1 - EDGE * size) & (speed > OUTWARDS))

    def observe(
        self, rows: np.ndarray, found: np.ndarray, points: np.ndarray, visible: np.ndarray, step: float, min_hits: int
    ) -> int:
        """Take in observations, in place.

        Args:
            rows: (N,) tracks that were seen.
            found: (N, 4) their boxes.
            points: (N, K, 2).
            visible: (N, K).
            step: nominal seconds between frames.
            min_hits: observations that confirm a track.

        Returns:
            How many were confirmed by this.
        """
        unseen = self.unseen[rows]
        gap = unseen > GAP_FRAMES * step
        after = self.motion[rows].corrected(found)
        if gap.any():
            places = rows[gap]
            after.put(gap, refilled(self.seen[places], self.observed[places], found[gap], unseen[gap], step))
        self.motion.put(rows, after)
        self.seen.put(rows, after)
        self.observed[rows], self.keypoints[rows], self.visible[rows] = found, points, visible
        self.unseen[rows] = 0.0
        self.hits[rows] += 1
        newly = rows[~self.confirmed[rows] & (self.hits[rows] >= min_hits)]
        self.confirmed[newly] = True
        return len(newly)
