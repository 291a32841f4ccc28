"""Which of a detector's boxes are worth a pose."""
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ppdet.geometry.assignment import assign
from ppdet.geometry.boxes import iou_matrix

if TYPE_CHECKING:
    from ppdet.inference.tracking.follower import Follow

# IoU from which a box fits a person's expected box, and from which a box of low score shows the same person as one of high score.
EXPECTED_OVERLAP = 0.4
TAKEN_OVERLAP = 0.6
# Above the cost of any allowed pair, so that the assignment takes a forbidden pair only if no allowed one is left.
NO_PAIR = 2.0


def boxes_to_keep(
    boxes_xyxy: np.ndarray, scores: np.ndarray, threshold: float, low_score: float = 1.0, expected: np.ndarray | None = None
) -> np.ndarray:
    """(N,) bool: boxes of people and, for each expected person whom none of them fits, the best fitting box of low score.

    People who are half hidden or blurred score low for some frames. Taking every box of low score would find people everywhere,
    and the pose network would have to run on all of them. As in ByteTrack (Zhang et al., ECCV 2022), boxes are assigned to
    expected people one to one, those of high score first.

    Args:
        boxes_xyxy: (N, 4).
        scores: (N,).
        threshold: smallest score of a person.
        low_score: smallest score where one is expected.
        expected: (M, 4) xyxy, or None.
    """
    sure = scores >= threshold
    doubtful = np.flatnonzero(~sure & (scores >= low_score))
    if expected is None or not len(expected) or not len(doubtful):
        return sure
    _, found = fitting_pairs(boxes_xyxy[sure], expected)
    if len(found) == len(expected):
        return sure
    doubtful = doubtful[iou_matrix(boxes_xyxy[doubtful], boxes_xyxy[sure]).max(axis=1, initial=0.0) < TAKEN_OVERLAP]
    rows, _ = fitting_pairs(boxes_xyxy[doubtful], np.delete(expected, found, axis=0))
    keep = sure.copy()
    keep[doubtful[rows]] = True
    return keep


def fitting_pairs(boxes_xyxy: np.ndarray, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of boxes and of the expected boxes that they are assigned to, one to one."""
    overlap = iou_matrix(boxes_xyxy, expected)
    fits = overlap >= EXPECTED_OVERLAP
    if fits.sum(axis=0).max(initial=0) <= 1 and fits.sum(axis=1).max(initial=0) <= 1:
        rows, columns = np.nonzero(fits)
        return rows, columns  # no box has a choice, so there is nothing to assign
    rows, columns = assign(np.where(fits, 1.0 - overlap, NO_PAIR))
    chosen = fits[rows, columns]
    return rows[chosen], columns[chosen]


@dataclass(frozen=True)
class Boxes:
    """Boxes of people that get a pose.

    Attributes:
        xyxy: (N, 4) float32.
        scores: (N,) float32.
        identities: (N,) int64, if a tracker knows them before the poses; else None.
    """

    xyxy: np.ndarray
    scores: np.ndarray
    identities: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.xyxy)

    def of(self, rows: np.ndarray) -> Boxes:
        """Some of the boxes."""
        return Boxes(self.xyxy[rows], self.scores[rows], None if self.identities is None else self.identities[rows])


NOBODY = Boxes(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))


@dataclass(frozen=True)
class Candidates:
    """What a tracker knows of the next frame.

    Attributes:
        expected, low_score: see `boxes_to_keep`.
        follow: gives boxes identities; if set, it alone decides.
        timestamp_ms: time of the frame.
    """

    expected: np.ndarray | None = None
    low_score: float = 1.0
    follow: Follow | None = None
    timestamp_ms: float | None = None

    def kept(self, boxes_xyxy: np.ndarray, scores: np.ndarray, threshold: float) -> np.ndarray:
        """(N,) bool: which boxes get a pose, without `follow`; see `boxes_to_keep`."""
        return boxes_to_keep(boxes_xyxy, scores, threshold, self.low_score, self.expected)

    def followed(self, boxes_xyxy: np.ndarray, scores: np.ndarray, looks: np.ndarray | None) -> Boxes:
        """Who gets a pose, with `follow`: the people in sight, in the tracker's boxes.

        Args:
            boxes_xyxy, scores, looks: (N, 4), (N,) and (N, D) or None, of the people that a detector found.
        """
        assert self.follow is not None
        seen = self.follow(boxes_xyxy, scores, looks, self.timestamp_ms)
        return Boxes(seen.boxes.astype(np.float32), seen.scores.astype(np.float32), seen.identities)


NO_CANDIDATES = Candidates()
