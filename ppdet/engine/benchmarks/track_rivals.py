"""Trackers that the tracker of this toolkit is measured against.

Legend: N boxes of a frame, T tracks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

import numpy as np

from ppdet.geometry.assignment import assign
from ppdet.geometry.boxes import iou_matrix

Tracked = tuple[np.ndarray, np.ndarray]
"""(N,) identities and (N, 4) xyxy boxes."""


class PlainIou:
    """Each box takes the identity of the last box it overlaps most; no motion, no poses.

    Args:
        threshold: smallest score.
        least_iou: below it, boxes are of different people.
        memory: frames that an unmatched box is kept for.
    """

    def __init__(self, threshold: float = 0.5, least_iou: float = 0.3, memory: int = 30) -> None:
        self.threshold, self.least_iou, self.memory = threshold, least_iou, memory
        self._identities, self._missed, self._boxes = np.zeros(0, int), np.zeros(0, int), np.zeros((0, 4))
        self._next = 1

    def update(self, boxes: np.ndarray, scores: np.ndarray) -> Tracked:
        """Identities of the next frame's boxes."""
        boxes = boxes[scores >= self.threshold]
        overlap = iou_matrix(boxes, self._boxes)
        rows, columns = _assign_within(1 - overlap, 1 - self.least_iou)
        identities = np.zeros(len(boxes), int)
        identities[rows] = self._identities[columns]
        self._missed += 1
        self._boxes[columns], self._missed[columns] = boxes[rows], 0
        new = np.flatnonzero(identities == 0)
        identities[new] = np.arange(self._next, self._next + len(new))
        self._next += len(new)
        keep = self._missed <= self.memory
        self._identities = np.concatenate([self._identities[keep], identities[new]])
        self._boxes = np.concatenate([self._boxes[keep], boxes[new]])
        self._missed = np.concatenate([self._missed[keep], np.zeros(len(new), int)])
        return identities, boxes


@dataclass
class _Track:
    identity: int
    mean: np.ndarray
    velocity: np.ndarray
    covariance: np.ndarray
    start: int
    frame: int
    activated: bool
    tracked: bool = True


class PaddleDetByte:
    """PaddleDetection's ByteTrack (`JDETracker` with `use_byte`, without appearance), rule by rule.

    A box is (cx, cy, w / h, h). Its Kalman filter of eight states falls apart into four of two, since no coordinate mixes with
    another.

    Args:
        high, low: scores of the two rounds.
        match: largest 1 - IoU of the first round.
        max_time_lost: frames. PaddleDetection's deployment scripts run with 0, whatever `track_buffer` says.
    """

    def __init__(self, high: float = 0.6, low: float = 0.1, match: float = 0.9, max_time_lost: int = 0) -> None:
        self.high, self.low, self.match, self.max_time_lost = high, low, match, max_time_lost
        self._frame, self._next = 0, 1
        self._tracks: list[_Track] = []
        self._removed: set[int] = set()  # for ever: who was removed once and came back is dropped at the next miss

    def update(self, boxes: np.ndarray, scores: np.ndarray) -> Tracked:
        """Identities and filtered boxes of the next frame."""
        self._frame += 1
        high, low = boxes[scores > self.high], boxes[(scores > self.low) & (scores < self.high)]
        pool = [each for each in self._tracks if each.activated]
        unconfirmed = [each for each in self._tracks if not each.activated]
        for track in pool:
            self._predict(track)
        left, rest = self._round(pool, high, self.match)
        left, _ = self._round([each for each in left if each.tracked], low, 0.4)
        for track in left:
            track.tracked = False
        lost, rest = self._round(unconfirmed, rest, 0.7)
        never_confirmed = {each.identity for each in lost}
        out_of_sight = [each for each in self._tracks if not each.tracked]
        gone = never_confirmed | {each.identity for each in out_of_sight if each.identity in self._removed}
        self._removed |= {each.identity for each in out_of_sight if self._frame - each.frame > self.max_time_lost}
        self._tracks = [each for each in self._tracks if each.identity not in gone]
        scores_of = {tuple(box): score for box, score in zip(boxes.tolist(), scores.tolist())}
        self._tracks += [self._born(box) for box in rest if scores_of[tuple(box.tolist())] >= self.high + 0.1]
        self._drop_doubles()
        shown = [each for each in self._tracks if each.tracked and each.activated]
        return np.array([each.identity for each in shown], int), _corners(shown)

    def _round(self, tracks: Sequence[_Track], boxes: np.ndarray, limit: float) -> tuple[list[_Track], np.ndarray]:
        """Match and update; the tracks and boxes that are left."""
        rows, columns = _assign_within(1 - _iou_with_border(_corners(tracks), boxes), limit)
        for row, column in zip(rows.tolist(), columns.tolist()):
            self._correct(tracks[row], boxes[column])
        left = [track for row, track in enumerate(tracks) if row not in set(rows.tolist())]
        return left, np.delete(boxes, columns, axis=0)

    def _born(self, box: np.ndarray) -> _Track:
        mean = _centered(box)
        height = mean[3]
        value = np.array([2 * height / 20, 2 * height / 20, 1e-2, 2 * height / 20])
        velocity = np.array([10 * height / 160, 10 * height / 160, 1e-5, 10 * height / 160])
        covariance = np.stack([value**2, np.zeros(4), velocity**2])
        self._next += 1
        return _Track(self._next - 1, mean, np.zeros(4), covariance, self._frame, self._frame, self._frame == 1)

    def _predict(self, track: _Track) -> None:
        height = track.mean[3]
        if not track.tracked:
            track.velocity[3] = 0
        a, b, c = track.covariance
        value = np.array([height / 20, height / 20, 1e-2, height / 20]) ** 2
        velocity = np.array([height / 160, height / 160, 1e-5, height / 160]) ** 2
        track.mean = track.mean + track.velocity
        track.covariance = np.stack([a + 2 * b + c + value, b + c, c + velocity])

    def _correct(self, track: _Track, box: np.ndarray) -> None:
        height = track.mean[3]
        a, b, c = track.covariance
        total = a + np.array([height / 20, height / 20, 1e-1, height / 20]) ** 2
        surprise = _centered(box) - track.mean
        track.mean, track.velocity = track.mean + a / total * surprise, track.velocity + b / total * surprise
        track.covariance = np.stack([a - a * a / total, b - a * b / total, c - b * b / total])
        track.frame, track.tracked, track.activated = self._frame, True, True

    def _drop_doubles(self) -> None:
        tracked = [each for each in self._tracks if each.tracked]
        lost = [each for each in self._tracks if not each.tracked]
        gone = set()
        for row, column in np.argwhere(1 - _iou_with_border(_corners(tracked), _corners(lost)) < 0.15).tolist():
            a, b = tracked[row], lost[column]
            gone.add(id(b) if a.frame - a.start > b.frame - b.start else id(a))
        self._tracks = [each for each in self._tracks if id(each) not in gone]


def _centered(box: np.ndarray) -> np.ndarray:
    width, height = box[2] - box[0], box[3] - box[1]
    return np.array([box[0] + width / 2, box[1] + height / 2, width / height, height])


def _corners(tracks: Sequence[_Track]) -> np.ndarray:
    mean = np.array([each.mean for each in tracks]).reshape(-1, 4)
    half = np.stack([mean[:, 2] * mean[:, 3], mean[:, 3]], axis=1) / 2
    return np.concatenate([mean[:, :2] - half, mean[:, :2] + half], axis=1)


def _iou_with_border(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """IoU of boxes whose last pixel belongs to them, as PaddleDetection counts."""
    border = np.array([0.0, 0.0, 1.0, 1.0])
    return iou_matrix(a.reshape(-1, 4) + border, b.reshape(-1, 4) + border)


def _assign_within(cost: np.ndarray, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of least total cost, where leaving a pair unmatched costs the limit."""
    if not cost.size:
        return np.zeros(0, int), np.zeros(0, int)
    rows, columns = assign(np.minimum(cost - limit, 0.0))
    good = cost[rows, columns] <= limit
    return rows[good], columns[good]
