"""The tracks of a stream as arrays, one row per track.

Legend: T tracks, N boxes of this frame, D length of an appearance embedding (a look).
"""
from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ppdet.inference.tracking.jde.motion import BoxMotion, boxes_of_ratios

# Weight of the old embedding in the running average, so that one bad view hardly changes it.
KEPT_LOOK = 0.9


@dataclass
class JdeTracks:
    """People in sight, then those who may come back.

    Attributes:
        identity: (T,) int64.
        activated: (T,) bool: seen twice, or in the first frame.
        in_sight: (T,) bool: seen in the last frame.
        start, last: (T,) int64 numbers of the frames in which they were first and last seen.
        score: (T,) of the last box.
        motion: their filters.
        look: (T, D) remembered appearance, of length 1; D is 0 without appearance.
    """

    identity: np.ndarray
    activated: np.ndarray
    in_sight: np.ndarray
    start: np.ndarray
    last: np.ndarray
    score: np.ndarray
    motion: BoxMotion
    look: np.ndarray

    @classmethod
    def born(
        cls, identities: np.ndarray, measured: np.ndarray, scores: np.ndarray, looks: np.ndarray, frame: int, activated: bool
    ) -> JdeTracks:
        """Tracks of people seen for the first time at (T, 4) cx, cy, w / h, h."""
        count = len(identities)
        now = np.full(count, frame, np.int64)
        return cls(np.asarray(identities, np.int64), np.full(count, activated), np.ones(count, bool), now, now.copy(),
                   np.array(scores, np.float64), BoxMotion.start(measured), np.array(looks, np.float64))

    @classmethod
    def none(cls, look_length: int = 0) -> JdeTracks:
        """No tracks."""
        return cls.born(np.zeros(0, np.int64), np.zeros((0, 4)), np.zeros(0), np.zeros((0, look_length)), 0, False)

    def __len__(self) -> int:
        return len(self.identity)

    def __getitem__(self, rows: np.ndarray) -> JdeTracks:
        return JdeTracks(*(getattr(self, field.name)[rows] for field in fields(self)))

    def joined(self, others: JdeTracks) -> JdeTracks:
        """These tracks, then the others."""
        def both(name: str) -> np.ndarray:
            return np.concatenate([getattr(self, name), getattr(others, name)])

        return JdeTracks(both("identity"), both("activated"), both("in_sight"), both("start"), both("last"), both("score"),
                         self.motion.joined(others.motion), both("look"))

    @property
    def boxes(self) -> np.ndarray:
        """(T, 4) xyxy of the filters."""
        return boxes_of_ratios(self.motion.mean)

    @property
    def life(self) -> np.ndarray:
        """(T,) frames from the first to the last sighting."""
        return self.last - self.start

    def predict(self, rows: np.ndarray) -> None:
        """Move some tracks on by a frame."""
        ahead = self.motion[rows]
        ahead.predict(~self.in_sight[rows])
        self.motion.put(rows, ahead)

    def observe(self, rows: np.ndarray, measured: np.ndarray, scores: np.ndarray, looks: np.ndarray, frame: int) -> None:
        """Take in the observations of some tracks, in place.

        Args:
            rows: (N,) tracks.
            measured: (N, 4) cx, cy, w / h, h.
            scores: (N,).
            looks: (N, D) of length 1.
            frame: number of the frame.
        """
        self.motion.put(rows, self.motion[rows].corrected(measured))
        self.look[rows] = unit(KEPT_LOOK * self.look[rows] + (1 - KEPT_LOOK) * looks)
        self.score[rows], self.last[rows] = scores, frame
        self.activated[rows] = self.in_sight[rows] = True


def unit(looks: np.ndarray) -> np.ndarray:
    """(N, D) rows of length 1; zeros stay zero."""
    length = np.linalg.norm(looks, axis=1, keepdims=True)
    return looks / np.where(length > 0, length, 1.0)
