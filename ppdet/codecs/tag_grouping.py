"""Candidates to people by their tags: one optimal assignment per keypoint (Newell et al., NeurIPS 2017).

Legend: K keypoints, M candidates per keypoint, T tag dimensions, P people, N candidates of one keypoint above the threshold.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ppdet.codecs.bottom_up_candidates import Candidates
from ppdet.geometry.assignment import assign

#: HigherHRNet's order for COCO: head and shoulders, hips, arms, knees and ankles. For 14 keypoints its code takes the first 14.
_AUTHORS_ORDER = (0, 1, 2, 3, 4, 5, 6, 11, 12, 7, 8, 9, 10, 13, 14, 15, 16)

#: Cost of a tag distance that rounds to 1. Heat only decides between equal rounded distances.
_ROUNDED = 100.0
#: Cost of starting a new person. PaddleDetection's is close to 0, so a candidate whose tag is at least 1 away from all people
#: starts a new one instead of displacing a better candidate.
_NEW_PERSON = {"authors": 1e10, "paddledet": 1e-10}
#: Many assignments have the same rounded cost. This fraction of the squared distance breaks the tie in favour of the nearer
#: person; it is too small to compete with heat. Plain distances of one-dimensional tags would not break ties: if all candidates
#: lie on one side of all people, every assignment has the same sum.
_NEARER = 1e-4
MATCHINGS = ("bounded", "authors", "paddledet")


def authors_order(num_keypoints: int) -> tuple[int, ...]:
    """HigherHRNet's matching order for 17 and 14 keypoints; 0..K-1 for others."""
    if num_keypoints in (14, 17):
        return _AUTHORS_ORDER[:num_keypoints]
    return tuple(range(num_keypoints))


@dataclass
class People:
    """The candidates of each person.

    Attributes:
        member: (P, K) int64 candidate of each keypoint, -1 for none; in the order in which people were started.
        tag: (P, T) float64 mean tag of a person's candidates.
    """

    member: np.ndarray
    tag: np.ndarray

    def __len__(self) -> int:
        return len(self.member)

    def gather(self, values: np.ndarray) -> np.ndarray:
        """(P, K, ...) from (K, M, ...) values of candidates; 0 without a candidate."""
        taken = values[np.arange(values.shape[0]), self.member]
        taken[self.member < 0] = 0
        return taken


@dataclass(frozen=True)
class Grouping:
    """The rules of grouping; see `AssociativeEmbeddingCodec` for the other arguments.

    Args:
        matching: the cost of pairing a candidate with a person beyond the tag threshold, a pair that will be rejected:

            ``authors``
                the rounded distance, as for any pair. A candidate that should start a new person is first assigned to a free
                person, often one that is free only because its own candidate was moved to another person. Both pairs are then
                rejected, and one person becomes three. With perfect tags and a fifth of the keypoints missing, this happens in
                3 of 4 images with 20 people and in all images with 60 (tests/codecs/test_tag_grouping.py).
            ``bounded``
                a constant just above the cost of two matches at the threshold, so that no good match is given up for it.
            ``paddledet``
                as ``authors``, with PaddleDetection's cost of new people, and people with equal first tags merged.

    Two deviations from the authors' code: people whose first tags are exactly equal stay separate (there, and with ``paddledet``,
    the second overwrites the first), and with ``ignore_too_much`` candidates can still join people.
    """

    order: tuple[int, ...]
    max_people: int = 30
    detection_threshold: float = 0.1
    tag_threshold: float = 1.0
    ignore_too_much: bool = False
    matching: str = "bounded"

    def group(self, candidates: Candidates) -> People:
        """All people in the candidates, without a limit on their number."""
        counted = candidates.score > self.detection_threshold
        growing = _People(int(counted.sum()), len(self.order), candidates.tag.shape[2], fuse_equal=self.matching == "paddledet")
        for keypoint in self.order:
            rows = np.flatnonzero(counted[keypoint])
            if len(rows):
                tags = candidates.tag[keypoint, rows].astype(np.float64)
                self._place(growing, keypoint, rows, tags, candidates.score[keypoint, rows])
        return growing.people()

    def _place(self, growing: _People, keypoint: int, rows: np.ndarray, tags: np.ndarray, score: np.ndarray) -> None:
        """Assign the N candidates of one keypoint to the first ``max_people`` people, or start new people with them."""
        open_ = min(growing.size, self.max_people)
        if open_ == 0:
            growing.start(keypoint, rows, tags)
            return
        distance = tag_distance(tags, growing.mean(open_).T)
        taken, by = assign(self._cost(distance, score))
        joins = by < open_
        joins[joins] = distance[taken[joins], by[joins]] < self.tag_threshold
        room = self.max_people - growing.size if self.ignore_too_much else len(rows)
        if joins.all() or not growing.fuse_equal:
            growing.join(keypoint, by[joins], rows[taken[joins]], tags[taken[joins]])
            alone = taken[~joins][: max(room, 0)]
            growing.start(keypoint, rows[alone], tags[alone])
            return
        # One by one: two candidates may go to the same person, and the later one stays.
        for row, person, joined in zip(taken, by, joins):
            one = slice(row, row + 1)
            if joined:
                growing.join(keypoint, by[by == person], rows[one], tags[one])
            elif not (self.ignore_too_much and growing.size >= self.max_people):
                growing.start(keypoint, rows[one], tags[one])

    def _cost(self, distance: np.ndarray, score: np.ndarray) -> np.ndarray:
        """(N, people) costs, with extra columns for candidates without a free person."""
        n, people = distance.shape
        cost = np.empty((n, max(n, people)))
        cost[:, :people] = np.rint(distance) * _ROUNDED - score[:, None]
        if self.matching == "bounded":
            refused = (np.rint(self.tag_threshold) + 1) * _ROUNDED
            cost[:, :people] += _NEARER * distance * distance
            cost[:, :people][distance >= self.tag_threshold] = refused
            cost[:, people:] = refused
        else:
            cost[:, people:] = _NEW_PERSON[self.matching]
        return cost


def tag_distance(tags: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """(N, C) Euclidean distances between (N, T) tags and C others given as (T, C), in their dtype."""
    distance = np.asarray(tags[:, :1] - columns[0])
    if len(columns) == 1:
        return np.abs(distance, out=distance)
    np.square(distance, out=distance)
    for t in range(1, len(columns)):
        difference = tags[:, t : t + 1] - columns[t]
        distance += np.square(difference, out=difference)
    return np.sqrt(distance, out=distance)


@dataclass
class _People:
    """People during grouping, in arrays of the largest possible size."""

    capacity: int
    num_keypoints: int
    tag_size: int
    fuse_equal: bool
    size: int = 0
    member: np.ndarray = field(init=False)
    tag_sum: np.ndarray = field(init=False)
    count: np.ndarray = field(init=False)
    first_tag: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.member = np.full((self.capacity, self.num_keypoints), -1, np.int64)
        self.tag_sum = np.zeros((self.capacity, self.tag_size))
        self.count = np.zeros(self.capacity)
        self.first_tag = np.full(self.capacity, np.nan)

    def mean(self, people: int) -> np.ndarray:
        """(people, T) mean tags of the first people."""
        return np.asarray(self.tag_sum[:people] / self.count[:people, None])

    def join(self, keypoint: int, people: np.ndarray, rows: np.ndarray, tags: np.ndarray) -> None:
        """Add one candidate to each of several people."""
        self.member[people, keypoint] = rows
        self.tag_sum[people] += tags
        self.count[people] += 1

    def start(self, keypoint: int, rows: np.ndarray, tags: np.ndarray) -> None:
        """Start a new person per candidate; with `fuse_equal` only if no person has the same first tag."""
        if not self.fuse_equal:
            self._start(keypoint, rows, tags)
            return
        for i in range(len(rows)):
            same = np.flatnonzero(self.first_tag[: self.size] == tags[i, 0])
            if len(same):
                self.join(keypoint, same, rows[i : i + 1], tags[i : i + 1])
            else:
                self._start(keypoint, rows[i : i + 1], tags[i : i + 1])

    def _start(self, keypoint: int, rows: np.ndarray, tags: np.ndarray) -> None:
        new = np.arange(self.size, self.size + len(rows))
        self.size += len(rows)
        self.first_tag[new] = tags[:, 0]
        self.join(keypoint, new, rows, tags)

    def people(self) -> People:
        """The people so far."""
        return People(self.member[: self.size], self.mean(self.size))
