"""IDF1 and identity switches of a tracker against the ground truth.

Legend: F frames, N people of a frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ppdet.geometry.assignment import assign
from ppdet.geometry.boxes import iou_matrix

#: Least IoU of a box and the person whom it may be matched with.
LEAST_IOU = 0.5

Frames = Sequence[tuple[np.ndarray, np.ndarray]]
"""For each frame the (N,) identities and (N, 4) xyxy boxes."""


@dataclass(frozen=True)
class IdentityScore:
    """How well identities last.

    Attributes:
        idf1: share of boxes with the right identity under the best one-to-one mapping of identities, as an F1 score (Ristani et
            al., ECCV workshops 2016).
        switches: how often the identity that a person is given changes (CLEAR MOT; Bernardin and Stiefelhagen, 2008).
        identities: how many different identities were given.
        people: how many there are in the ground truth.
    """

    idf1: float
    switches: int
    identities: int
    people: int


def identity_score(truth: Frames, found: Frames) -> IdentityScore:
    """Compare a tracker's frames with the ground truth.

    Args:
        truth: every frame.
        found: the same frames.
    """
    return IdentityScore(_idf1(truth, found), _switches(truth, found), len(_numbers(found)), len(_numbers(truth)))


def _numbers(frames: Frames) -> dict[int, int]:
    """Identity -> index."""
    every = np.unique(np.concatenate([np.zeros(0, np.int64), *(np.asarray(ids, np.int64) for ids, _ in frames)]))
    return {int(identity): place for place, identity in enumerate(every)}


def _idf1(truth: Frames, found: Frames) -> float:
    rows, columns = _numbers(truth), _numbers(found)
    together = np.zeros((len(rows), len(columns)))
    for (true_ids, true_boxes), (ids, boxes) in zip(truth, found):
        pairs = np.argwhere(iou_matrix(true_boxes, boxes) >= LEAST_IOU)
        for row, column in pairs.tolist():
            together[rows[int(true_ids[row])], columns[int(ids[column])]] += 1
    total = sum(len(ids) for ids, _ in truth) + sum(len(ids) for ids, _ in found)
    chosen = assign(-together) if together.size else (np.zeros(0, int), np.zeros(0, int))
    return float(2 * together[chosen].sum() / total) if total else 1.0


def _switches(truth: Frames, found: Frames) -> int:
    """Pairs of the previous frame last as long as they overlap; the others are matched anew."""
    last: dict[int, int] = {}
    switches = 0
    for (true_ids, true_boxes), (ids, boxes) in zip(truth, found):
        overlap = iou_matrix(true_boxes, boxes)
        allowed = overlap >= LEAST_IOU
        kept = np.array([[last.get(int(a)) == int(b) for b in ids] for a in true_ids], bool).reshape(overlap.shape) & allowed
        gain = np.where(allowed, overlap, 0.0) + 1000.0 * kept
        for row, column in zip(*(each.tolist() for each in assign(-gain))):
            if not allowed[row, column]:
                continue
            person, identity = int(true_ids[row]), int(ids[column])
            switches += last.get(person, identity) != identity
            last[person] = identity
    return switches
