"""Poses of every second frame of a recorded video; in the frames between, they are interpolated unless somebody moves fast.

Legend: N people, K keypoints, M people of the next frame.
"""
from __future__ import annotations

import math
from typing import Union

import numpy as np

from ppdet.geometry.boxes import longer_sides
from ppdet.inference.estimators.base import People
from ppdet.inference.people_finder import Found, PeopleFinder
from ppdet.inference.redetection.carried import VISIBLE_SCORE, have_faded, mean_scores
from ppdet.inference.redetection.interval_finder import IntervalFinder
from ppdet.inference.redetection.schedule import ADAPTIVE, Interval
from ppdet.inference.tracking.candidates import NOBODY, fitting_pairs

# A pose is interpolated if its keypoints move by less than these shares of the person's size over two frames: on average, and
# the fastest one. At 30 frames/s that is 1.5 m/s for a whole person and 5 m/s for a hand.
CALM_MEAN, CALM_MOST = 0.06, 0.2
# At fewer frames per second, too much happens from one estimated frame to the next.
LEAST_FPS = 20.0


class EveryOtherFrame:
    """Finds the people of a frame's successor first, and then, between the two, those of the frame.

    People move nearly evenly for a fifteenth of a second; how far keypoints drift by it is in docs/benchmarks.md. Who moves fast,
    and who has no counterpart in the successor, gets an estimated pose; if that of the latter is doubtful, the detector looks
    at the frame, too.

    Args:
        finder: finds the people of every second frame, and of the first frame of each scene.
    """

    def __init__(self, finder: IntervalFinder) -> None:
        self._finder = finder
        self._next: Found | None = None
        self._last: Found | None = None
        self._known: People | None = None
        self._is_interpolated = False

    def people(
        self,
        image: np.ndarray,
        is_cut: bool = False,
        expected: np.ndarray | None = None,
        low_score: float = 1.0,
        upcoming: np.ndarray | None = None,
    ) -> Found:
        """The people of the next frame; see `IntervalFinder.people`. Then `follow` must be called.

        Args:
            image, is_cut, expected, low_score: see there.
            upcoming: (H, W, 3) RGB uint8, the frame after this one; None if there is none.
        """
        found, self._next = self._next, None
        known = None if is_cut else self._known
        self._is_interpolated = False
        if found is None and known is not None and upcoming is not None:
            self._is_interpolated = True
            self._next = self._finder.people(upcoming, False, expected, low_score)
            people = self._between(image, known, self._next.people)
            if people is None:
                return self._finder.detected_in(image, expected, low_score)
            return Found(people, NOBODY if self._last is None else self._last.rest)
        if found is None or is_cut:
            found = self._finder.people(image, is_cut, expected, low_score)
        self._last = found
        return found

    def follow(self, kept: np.ndarray) -> None:
        """Say which of the people last returned are kept; see `IntervalFinder.follow`."""
        if not self._is_interpolated and self._last is not None:
            self._finder.follow(kept)
            self._known = People(*(each[kept] for each in self._last.people))

    def close(self) -> None:
        """End the threads."""
        self._finder.close()

    def _between(self, image: np.ndarray, before: People, after: People) -> People | None:
        """The people of `before` in the frame before `after`; None if somebody may be gone already."""
        rows, columns = fitting_pairs(before.boxes, after.boxes)
        earlier, later = People(*(each[rows] for each in before)), People(*(each[columns] for each in after))
        people = People(*(each.copy() for each in before))
        for each, middle in zip(people, halfway(earlier, later)):
            each[rows] = middle
        is_fast = np.ones(len(before.boxes), bool)
        is_fast[rows] = ~is_calm(earlier, later)
        if is_fast.any():
            estimated = self._finder.pose_in(image, people.boxes[is_fast], people.box_scores[is_fast])
            people.keypoints[is_fast], people.scores[is_fast] = estimated.keypoints, estimated.scores
        is_gone = np.ones(len(before.boxes), bool)
        is_gone[rows] = False
        return None if (is_gone & have_faded(mean_scores(people.scores), mean_scores(before.scores))).any() else people


StreamFinder = Union[IntervalFinder, EveryOtherFrame]


def halfway(before: People, after: People) -> People:
    """The same people in the frame between two; a keypoint that one frame does not show is where the other one shows it."""
    first, second = (each.scores >= VISIBLE_SCORE for each in (before, after))
    keypoints = (before.keypoints + after.keypoints) / 2
    keypoints = np.where((first & ~second)[..., None], before.keypoints, keypoints)
    keypoints = np.where((second & ~first)[..., None], after.keypoints, keypoints)
    scores = np.where(first == second, (before.scores + after.scores) / 2, np.minimum(before.scores, after.scores))
    return People((before.boxes + after.boxes) / 2, (before.box_scores + after.box_scores) / 2, keypoints, scores)


def is_calm(before: People, after: People) -> np.ndarray:
    """(N,) bool: whose visible keypoints move little from one frame to the next but one; nobody without such keypoints."""
    both = (before.scores >= VISIBLE_SCORE) & (after.scores >= VISIBLE_SCORE)
    motion = np.linalg.norm(after.keypoints - before.keypoints, axis=2) / np.maximum(longer_sides(after.boxes), 1.0)[:, None]
    motion, count = np.where(both, motion, 0.0), both.sum(axis=1)
    return (count > 0) & (motion.sum(axis=1) <= CALM_MEAN * count) & (motion.max(axis=1, initial=0.0) <= CALM_MOST)


def open_finder(
    finder: PeopleFinder, interval: Interval, fps: float, workers: int, interpolates: bool = False
) -> StreamFinder | None:
    """What finds the people of one stream.

    Args:
        finder, interval, fps, workers: see `IntervalFinder`.
        interpolates: estimate poses in every second frame only; the next frame must always be known.

    Returns:
        None if the detector looks at every frame.
    """
    if interval == 1:
        return None
    if not interpolates or not (math.isfinite(fps) and fps >= LEAST_FPS):
        return IntervalFinder(finder, interval, fps, workers)
    every_other = interval if interval == ADAPTIVE else max(1, int(interval) // 2)
    return EveryOtherFrame(IntervalFinder(finder, every_other, fps / 2, workers))
