"""Follows the people of a network that finds them and embeds their appearance at once.

Appearance is compared first, gated by motion; the people left are matched by overlap. Sources: Wang et al., Towards Real-Time
Multi-Object Tracking (JDE), ECCV 2020; Zhang et al., FairMOT, IJCV 2021; with `use_byte` Zhang et al., ByteTrack, ECCV 2022.

The rules are those of PaddleDetection's `JDETracker`, so that its published figures hold, except for its defects:

- Somebody who comes back in the last frame of `track_buffer` is followed like anybody else. PaddleDetection keeps ended
  identities for ever, this one among them, so it is lost at the next miss. `paddledet_exact` reproduces that.
- Its deployment scripts forget everybody after two missed frames, whatever `track_buffer` says.
- Somebody who comes back has the score of the new box, not that of the last one before the gap.

Legend: T tracks, N boxes of this frame, D length of an appearance embedding (a look).
"""
from __future__ import annotations

import math

import numpy as np

from ppdet.geometry.boxes import iou_matrix
from ppdet.inference.tracking.association import match
from ppdet.inference.tracking.follower import Followed
from ppdet.inference.tracking.jde.motion import GATE, ratio_boxes
from ppdet.inference.tracking.jde.settings import COSINE, JdeSettings
from ppdet.inference.tracking.jde.tracks import JdeTracks, unit
from ppdet.inference.tracking.tracker import DEFAULT_FPS, LONGEST_STEP

# Share of appearance in the cost of the first round; the rest is the squared Mahalanobis distance.
LOOK_SHARE = 0.98
# Largest 1 - IoU of a box of low score and the person it continues, with `use_byte`.
LOW_LIMIT = 0.4
# Two tracks of a smaller 1 - IoU are the same person.
SAME_PERSON = 0.15
# Somebody out of sight for longer than `track_buffer` may still come back in the next frame.
GRACE = 1


class JdeTracker:
    """Gives the people of consecutive frames identities: whole numbers from 1 on that are never reused.

    Args:
        settings: None takes the defaults.
        fps: frames per second, for `track_buffer` and the number of frames between two time stamps.

    Attributes:
        persons: number of identities that `follow` has given so far.
    """

    def __init__(self, settings: JdeSettings | None = None, fps: float = DEFAULT_FPS) -> None:
        self.settings = JdeSettings() if settings is None else settings
        self.fps = fps if math.isfinite(fps) and fps > 0 else DEFAULT_FPS
        self.most_missed = self.settings.most_missed(self.fps)
        self._given: set[int] = set()
        self._tracks: JdeTracks | None = None
        self._frame = 0
        self._is_first = True
        self._next_identity = 1
        self._seconds: float | None = None
        self._ended: set[int] = set()  # with `paddledet_exact`

    def update(
        self, boxes_xyxy: np.ndarray, scores: np.ndarray, looks: np.ndarray | None = None, seconds: float | None = None
    ) -> Followed:
        """Associate the boxes of the next frame.

        Args:
            boxes_xyxy: (N, 4).
            scores: (N,).
            looks: (N, D) appearance of each; None without. A stream has them in all frames or in none.
            seconds: time of the frame, to notice missing frames; None: one frame after the last.

        Returns:
            The people in sight now, without those seen only once, except in the first frame.
        """
        boxes = np.asarray(boxes_xyxy, np.float64).reshape(-1, 4)
        scores = np.asarray(scores, np.float64).reshape(-1)
        looks = np.zeros((len(boxes), 0)) if looks is None else np.asarray(looks, np.float64)
        if not len(boxes) and self._tracks is not None:
            looks = np.zeros((0, self._tracks.look.shape[1]))  # whatever an empty frame gives
        usable = np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > boxes[:, :2]).all(axis=1) & np.isfinite(looks).all(axis=1)
        rows = np.flatnonzero(usable & (scores > self.settings.lowest_score))
        if self._tracks is None or (not len(self._tracks) and len(boxes)):
            self._tracks = JdeTracks.none(looks.shape[1])
        steps = self._steps(seconds)
        self._frame += steps
        for _ in range(steps):
            self._tracks.predict(np.flatnonzero(self._tracks.activated))
        self._associate(ratio_boxes(boxes[rows]), boxes[rows], scores[rows], unit(looks[rows]))
        self._is_first = False
        tracks = self._tracks
        seen = np.flatnonzero(tracks.in_sight & tracks.activated)
        return Followed(tracks.identity[seen], tracks.boxes[seen], tracks.score[seen])

    @property
    def persons(self) -> int:
        """See above."""
        return len(self._given)

    def follow(
        self, boxes_xyxy: np.ndarray, scores: np.ndarray, looks: np.ndarray | None = None, seconds: float | None = None
    ) -> Followed:
        """As `update`, without people who are too small or too wide by the settings."""
        everybody = self.update(boxes_xyxy, scores, looks, seconds)
        rows = self.settings.shown(everybody.boxes)
        shown = Followed(*(each[rows] for each in everybody))
        self._given.update(shown.identities.tolist())
        return shown

    @property
    def identities(self) -> set[int]:
        """Identities that are in sight or may come back."""
        return set() if self._tracks is None else set(self._tracks.identity.tolist())

    def cut(self) -> None:
        """End all identities: the next frame shows another scene."""
        self._tracks = None
        self._is_first = True

    def _steps(self, seconds: float | None) -> int:
        """Frames since the last one: more than one if some are missing."""
        passed = math.nan if seconds is None or self._seconds is None else seconds - self._seconds
        self._seconds = seconds
        return max(1, round(passed * self.fps)) if 0 < passed <= LONGEST_STEP else 1

    def _associate(self, measured: np.ndarray, boxes: np.ndarray, scores: np.ndarray, looks: np.ndarray) -> None:
        """Match boxes and tracks, and start new ones."""
        assert self._tracks is not None
        tracks, settings = self._tracks, self.settings
        was_in_sight = tracks.in_sight.copy()
        tracks.in_sight[:] = False

        def take(candidates: np.ndarray, found: np.ndarray, cost: np.ndarray, limit: float) -> np.ndarray:
            """Pairs of least total cost, where leaving a pair unmatched costs the limit; the boxes that are left."""
            rows, columns = match(limit - cost, 0.0)
            of = found[columns]
            tracks.observe(candidates[rows], measured[of], scores[of], looks[of], self._frame)
            return np.setdiff1d(found, of)

        def overlap_cost(candidates: np.ndarray, found: np.ndarray) -> np.ndarray:
            return 1 - iou_with_border(tracks.boxes[candidates], boxes[found])

        high = np.flatnonzero(scores > settings.conf_thres)
        pool = np.flatnonzero(tracks.activated)
        unproven = np.flatnonzero(~tracks.activated)
        if looks.shape[1]:
            rest = take(pool, high, self._look_cost(pool, measured[high], looks[high]), settings.tracked_thresh)
        else:
            rest = take(pool, high, overlap_cost(pool, high), settings.match_thres)
        left = pool[was_in_sight[pool] & ~tracks.in_sight[pool]]
        if settings.use_byte:
            low = np.flatnonzero((scores > settings.low_conf_thres) & (scores < settings.conf_thres))
            take(left, low, overlap_cost(left, low), LOW_LIMIT)
        else:
            rest = take(left, rest, overlap_cost(left, rest), settings.r_tracked_thresh)
        rest = take(unproven, rest, overlap_cost(unproven, rest), settings.unconfirmed_thresh)
        new = rest[scores[rest] >= settings.start_score]
        self._start(measured[new], scores[new], looks[new], was_in_sight)

    def _look_cost(self, pool: np.ndarray, measured: np.ndarray, looks: np.ndarray) -> np.ndarray:
        """(T, N) distance of looks and motion; infinite beyond the gate."""
        assert self._tracks is not None
        known = self._tracks.look[pool]
        likeness = known @ looks.T
        if self.settings.metric_type == COSINE:
            cost = np.maximum(1 - likeness, 0.0)
        else:
            cost = np.sqrt(np.maximum((known**2).sum(1)[:, None] + (looks**2).sum(1)[None] - 2 * likeness, 0.0))
        motion = self._tracks.motion[pool].distances(measured)
        return np.where(motion > GATE, np.inf, LOOK_SHARE * cost + (1 - LOOK_SHARE) * motion)

    def _start(self, measured: np.ndarray, scores: np.ndarray, looks: np.ndarray, was_in_sight: np.ndarray) -> None:
        """Add new people, and drop those who are gone."""
        assert self._tracks is not None
        identities = np.arange(self._next_identity, self._next_identity + len(measured))
        self._next_identity += len(measured)
        born = JdeTracks.born(identities, measured, scores, looks, self._frame, self._is_first)
        old = self._tracks
        lost = ~old.in_sight & old.activated & (self._frame - old.last <= self.most_missed + GRACE)
        if self.settings.paddledet_exact:
            lost &= ~np.isin(old.identity, list(self._ended))
            self._ended.update(old.identity[~old.in_sight & (self._frame - old.last > self.most_missed)].tolist())
        # In the order of PaddleDetection's lists, which decides ties.
        further = (old.in_sight & ~was_in_sight, lost & ~was_in_sight, lost & was_in_sight)
        others = old[np.concatenate([np.flatnonzero(rows) for rows in further])]
        self._tracks = old[np.flatnonzero(old.in_sight & was_in_sight)].joined(born).joined(others)
        self._drop_doubles()

    def _drop_doubles(self) -> None:
        """Of a person in sight and one out of sight at the same place, drop the one known for a shorter time."""
        tracks = self._tracks
        assert tracks is not None
        seen, lost = np.flatnonzero(tracks.in_sight), np.flatnonzero(~tracks.in_sight)
        if not len(seen) or not len(lost):
            return
        rows, columns = np.nonzero(1 - iou_with_border(tracks.boxes[seen], tracks.boxes[lost]) < SAME_PERSON)
        is_older = tracks.life[seen[rows]] > tracks.life[lost[columns]]
        gone = np.where(is_older, lost[columns], seen[rows])
        if len(gone):
            self._tracks = tracks[np.setdiff1d(np.arange(len(tracks)), gone)]


def iou_with_border(a_xyxy: np.ndarray, b_xyxy: np.ndarray) -> np.ndarray:
    """(T, N) IoU of boxes that include their last pixel, as the trackers of this family compute it."""
    border = np.array([0.0, 0.0, 1.0, 1.0])
    return iou_matrix(a_xyxy.reshape(-1, 4) + border, b_xyxy.reshape(-1, 4) + border)
