"""Boxes of people from their last poses, for frames without a detector run.

Legend: N people, K keypoints.
"""
from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ppdet.geometry.boxes import iou_matrix, longer_sides
from ppdet.geometry.same_poses import same_poses
from ppdet.inference.estimators.base import People

# Keypoints from this score on locate a person; with fewer of them than this, or than half, the box stays where it is.
VISIBLE_SCORE = 0.2
FEWEST_VISIBLE = 4
# A pose is doubtful if its mean score falls below this share of what it was when the detector last saw the person; poses below
# the second number at that time are not judged.
DOUBTFUL_SHARE, LEAST_TELLING = 0.7, 0.3
# A box is not credible if it has changed its size by more than this factor since it was detected, or left the image by more
# than this share.
MOST_GROWTH, MOST_OUTSIDE = 1.6, 0.6
AGREEING_IOU = 0.6


@dataclass(frozen=True)
class Carried:
    """The people of the last frame.

    Attributes:
        boxes: (N, 4) xyxy, where they are expected next.
        scores: (N,) of their boxes, from the detector.
        margins: (N, 4) pixels that the detector's box reached beyond the keypoints: left, top, right, bottom.
        sizes: (N,) longer sides of the detector's boxes.
        references: (N,) mean keypoint scores when they were detected.
        twins: pairs that had the same pose when they were detected.
        keypoints: (N, K, 2) of the last frame.
        visible: (N, K) bool.
    """

    boxes: np.ndarray
    scores: np.ndarray
    margins: np.ndarray
    sizes: np.ndarray
    references: np.ndarray
    twins: int
    keypoints: np.ndarray
    visible: np.ndarray

    @classmethod
    def detected(cls, people: People) -> Carried:
        """From people in boxes of a detector."""
        visible = people.scores >= VISIBLE_SCORE
        around = extents(people.keypoints, visible)
        beyond = np.concatenate([around[:, :2] - people.boxes[:, :2], people.boxes[:, 2:] - around[:, 2:]], axis=1)
        sizes = longer_sides(people.boxes)
        return cls(people.boxes, people.box_scores, np.maximum(beyond, 0), sizes, mean_scores(people.scores),
                   len(same_poses(people.keypoints, visible, sizes)), people.keypoints, visible)

    def __len__(self) -> int:
        return len(self.boxes)

    def moved(self, people: People, image_wh: tuple[int, int]) -> Carried:
        """From the next frame's poses in `boxes`.

        A box is the mean of two: around the keypoints, with the margins that it was detected with, which follows the person's
        size and pose, and the last one moved along with the keypoints, which is steady.
        """
        visible = people.scores >= VISIBLE_SCORE
        around = extents(people.keypoints, visible)
        boxes = np.concatenate([around[:, :2] - self.margins[:, :2], around[:, 2:] + self.margins[:, 2:]], axis=1)
        boxes = (boxes + self.boxes + np.tile(self._shift(people.keypoints, visible), 2)) / 2
        is_clear = visible.sum(axis=1) >= min(FEWEST_VISIBLE, -(-visible.shape[1] // 2))
        boxes = np.where(is_clear[:, None], boxes, self.boxes).astype(np.float32)
        boxes = np.clip(boxes, 0, np.array([*image_wh, *image_wh], np.float32))
        return replace(self, boxes=boxes, keypoints=people.keypoints, visible=visible)

    def _shift(self, keypoints: np.ndarray, visible: np.ndarray) -> np.ndarray:
        """(N, 2) median motion of the keypoints that are visible in both frames."""
        shift = np.zeros((len(self), 2))
        both = visible & self.visible
        for row in np.flatnonzero(both.any(axis=1)):
            shift[row] = np.median(keypoints[row][both[row]] - self.keypoints[row][both[row]], axis=0)
        return shift

    def is_doubtful(self, people: People, image_wh: tuple[int, int]) -> bool:
        """Whether the detector should run after all: a pose has become uncertain, two people are one, or a box is not credible.

        Args:
            people: poses in `boxes`.
            image_wh: size of the frame.
        """
        if not len(self):
            return False
        if have_faded(mean_scores(people.scores), self.references).any():
            return True
        after = self.moved(people, image_wh)
        growth = longer_sides(after.boxes) / np.maximum(self.sizes, 1.0)
        if (growth > MOST_GROWTH).any() or (growth < 1 / MOST_GROWTH).any():
            return True
        return len(same_poses(people.keypoints, after.visible, longer_sides(after.boxes))) > self.twins

    def agrees(self, boxes: np.ndarray) -> bool:
        """Whether a detector's (M, 4) boxes are those of the same people."""
        if len(boxes) != len(self):
            return False
        overlap = iou_matrix(self.boxes, boxes)
        return not len(self) or bool((overlap.max(axis=1) >= AGREEING_IOU).all() and (overlap.max(axis=0) >= AGREEING_IOU).all())


def extents(keypoints: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """(N, 4) xyxy of the visible ones of (N, K, 2) keypoints; of a person without any, of all."""
    shown = np.where(visible.any(axis=1, keepdims=True), visible, True)[..., None]
    low = np.where(shown, keypoints, np.inf).min(axis=1)
    return np.concatenate([low, np.where(shown, keypoints, -np.inf).max(axis=1)], axis=1)


def mean_scores(scores: np.ndarray) -> np.ndarray:
    """(N,) of (N, K)."""
    return scores.mean(axis=1) if len(scores) else np.zeros(0, np.float32)


def have_faded(means: np.ndarray, references: np.ndarray) -> np.ndarray:
    """(N,) bool: whose mean keypoint score is far below an earlier one; see `DOUBTFUL_SHARE`."""
    return (references >= LEAST_TELLING) & (means < DOUBTFUL_SHARE * references)
