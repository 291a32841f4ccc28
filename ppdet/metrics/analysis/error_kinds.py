"""Kinds of keypoint errors, as in Ronchi and Perona, ICCV 2017.

The similarity of a predicted and a true keypoint is its OKS term, ks = exp(-d^2 / (2 (2 sigma)^2 area)):

    good            ks >= .85 with its own truth
    jitter          .5 <= ks < .85
    inversion       ks < .5, and ks >= .5 with the mirror keypoint of the same object (of a keypoint without mirror: with another
                    one without mirror, such as nose and tail)
    swap            ks < .5, and ks >= .5 with the same or the mirror keypoint of another object of the image
    miss            ks < .5, and near none of these
    detector miss   the object has no prediction, or one with OKS < .1 whose middle is outside the object's box

If inversion and swap both apply, the nearer one counts. Legend: N objects, K keypoints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, Sequence, Tuple

import numpy as np

from ppdet.metrics.landmarks.matching import MatchedObjects
from ppdet.skeletons import Skeleton

GOOD, JITTER, INVERSION, SWAP, MISS, DETECTOR_MISS = KINDS = (
    "good", "jitter", "inversion", "swap", "miss", "detector miss",
)  # fmt: skip
UNLABELLED = -1
GOOD_FROM, JITTER_FROM, FOUND_FROM = 0.85, 0.5, 0.1


@dataclass(frozen=True)
class ErrorKinds:
    """The kind of each labelled keypoint.

    Attributes:
        kind: (N, K) index in `KINDS`, -1 where nothing is labelled.
        similarity: (N, K) ks with the own truth; 0 for detector misses, NaN where nothing is labelled.
        oks: (N,) mean similarity of each object.
        taken_for: (N, K) index of the keypoint that an inversion or a swap hit, -1 otherwise.
    """

    kind: np.ndarray
    similarity: np.ndarray
    oks: np.ndarray
    taken_for: np.ndarray

    def counts(self) -> np.ndarray:
        """(K, 6) labelled keypoints by kind."""
        return np.stack([(self.kind == number).sum(axis=0) for number in range(len(KINDS))], axis=1)

    def confusions(self, names: Sequence[str]) -> List[Tuple[str, str, str, int]]:
        """(kind, keypoint, what it was taken for, count) of inversions and swaps, the most frequent first."""
        found: List[Tuple[str, str, str, int]] = []
        for number in (KINDS.index(INVERSION), KINDS.index(SWAP)):
            rows, columns = np.nonzero(self.kind == number)
            pairs, count = np.unique(np.stack([columns, self.taken_for[rows, columns]], axis=1), axis=0, return_counts=True)
            found += [(KINDS[number], names[a], names[b], int(n)) for (a, b), n in zip(pairs.tolist(), count.tolist())]
        return sorted(found, key=lambda each: -each[3])


def classify_errors(objects: MatchedObjects, skeleton: Skeleton) -> ErrorKinds:
    """The kind of each keypoint of matched objects."""
    count, keypoints = len(objects), skeleton.num_keypoints
    labelled = objects.truth[..., 2] > 0
    kind = np.full((count, keypoints), UNLABELLED)
    similarity = np.full((count, keypoints), np.nan)
    taken_for = np.full((count, keypoints), -1)
    oks = np.zeros(count)
    alike = _confusable(skeleton)
    for row in range(count):
        seen = labelled[row]
        own = _similarity(objects.xy[row], objects.truth[row], objects.area[row], skeleton.sigmas)
        oks[row] = own[seen].mean() if seen.any() else 0.0
        if objects.result[row] < 0 or (oks[row] < FOUND_FROM and not _middle_inside(objects, row)):
            kind[row, seen], similarity[row, seen], oks[row] = KINDS.index(DETECTOR_MISS), 0.0, 0.0
            continue
        similarity[row, seen] = own[seen]
        others = np.flatnonzero((objects.image == objects.image[row]) & (np.arange(count) != row))
        for k in np.flatnonzero(seen):
            kind[row, k], taken_for[row, k] = _kind_of(objects, row, int(k), float(own[k]), others, skeleton, alike)
    return ErrorKinds(kind, similarity, oks, taken_for)


def _kind_of(
    objects: MatchedObjects, row: int, k: int, own: float, others: np.ndarray, skeleton: Skeleton, alike: Sequence[np.ndarray]
) -> Tuple[int, int]:
    if own >= JITTER_FROM:
        return KINDS.index(GOOD if own >= GOOD_FROM else JITTER), -1
    inverted = _best_hit(objects, np.array([row]), row, k, alike[k], skeleton)
    same_or_mirror = np.unique([k, int(skeleton.flip_permutation[k])])
    swapped = _best_hit(objects, others, row, k, same_or_mirror, skeleton)
    if max(inverted[0], swapped[0]) < JITTER_FROM:
        return KINDS.index(MISS), -1
    return (KINDS.index(INVERSION), inverted[1]) if inverted[0] >= swapped[0] else (KINDS.index(SWAP), swapped[1])


def _best_hit(
    objects: MatchedObjects, candidates: np.ndarray, row: int, k: int, columns: np.ndarray, skeleton: Skeleton
) -> Tuple[float, int]:
    """Greatest similarity of predicted keypoint `k` with the labelled keypoints `columns` of candidate objects, and which."""
    best, which = 0.0, -1
    for candidate in candidates.tolist():
        for column in columns.tolist():
            if objects.truth[candidate, column, 2] > 0:
                squared = float(((objects.xy[row, k] - objects.truth[candidate, column, :2]) ** 2).sum())
                value = float(np.exp(-squared / (8 * skeleton.sigmas[column] ** 2 * max(objects.area[candidate], 1e-9))))
                if value > best:
                    best, which = value, column
    return best, which


def _confusable(skeleton: Skeleton) -> List[np.ndarray]:
    """For each keypoint those that it may be inverted with: its mirror, or the others without a mirror."""
    mirror = skeleton.flip_permutation
    alone = np.flatnonzero(mirror == np.arange(len(mirror)))
    return [np.array([mirror[k]]) if mirror[k] != k else alone[alone != k] for k in range(len(mirror))]


def _similarity(xy: np.ndarray, truth: np.ndarray, area: float, sigmas: np.ndarray) -> np.ndarray:
    """(K,) ks; 0 without a prediction."""
    squared = ((xy - truth[:, :2]) ** 2).sum(axis=-1)
    return np.nan_to_num(np.exp(-squared / (8 * sigmas**2 * max(area, 1e-9))), nan=0.0)


def _middle_inside(objects: MatchedObjects, row: int) -> bool:
    x, y, width, height = objects.box_xywh[row]
    middle = (objects.xy[row].min(axis=0) + objects.xy[row].max(axis=0)) / 2
    return bool(x <= middle[0] <= x + width and y <= middle[1] <= y + height)
