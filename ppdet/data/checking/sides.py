"""Objects whose left and right keypoints seem to be swapped, and data whose objects all face one way.

Rules that hold in nearly all objects of a file are learnt from the file itself, and do not depend on the object's rotation in
the image: the direction from left to right of two pairs (shoulders and hips), and on which side of a pair another point lies
(of the eyes, the middle of the shoulders). For people the rules are known, so that many swapped labels cannot hide. An object
that violates several rules is a suspect. A person whose labels are all swapped goes unnoticed if the face is not
visible.

Legend: N objects, K keypoints, P mirror pairs, F rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Iterator, List, Optional, Sequence, Tuple

import numpy as np

from ppdet.annotations.sidedness import Order, one_sided
from ppdet.data.checking.annotation_file import AnnotationFile
from ppdet.data.checking.finding import NOTE, WARNING, Finding, shown

AGREEMENT = 0.97
"""Share of the objects in which a rule must hold."""
FEWEST_OBJECTS = 20
CLEAR = 0.3
"""Cosines and sines below this are ignored."""
AGAINST = -0.8
VOTES, VOTES_OF_A_WHOLE = 4, 5
SUSPICIOUS_SHARES = (0.003, 0.01)
"""Up to the first share of the objects, suspects are what unusual poses of real data give (COCO .0002 to .0029, LSP 0), and are
not reported; up to the second share they are only a note."""
SAME_WAY = {frozenset(pair.split()) for pair in (
    "ankle knee", "ear elbow", "ear eye", "ear hip", "ear shoulder", "elbow eye", "elbow shoulder", "eye hip", "eye shoulder",
    "hip shoulder",
)}  # fmt: skip
"""Pairs of people whose directions from left to right agree in 93 % (LSP's athletes) to 100 % of 9,000 people of COCO and LSP.
Not wrists: people cross their arms."""
CLOCKWISE = {
    "eye": {"nose": -1, "shoulder": -1, "elbow": -1, "wrist": -1, "hip": -1, "knee": -1, "ankle": -1},
    "shoulder": {"eye": 1}, "elbow": {"eye": 1}, "hip": {"eye": 1},
}  # fmt: skip
"""Side of a pair of people on which a point or the middle of another pair lies: the sign of the sine from the pair's direction to
it. Holds in 96 % to 100 % of COCO's people, whose eyes are labelled if they face the camera."""
SMALLEST_PAIR = 0.05
"""Pairs closer than this share of the object's extent have no direction."""


@dataclass(frozen=True)
class _Rules:
    """(N, F) values in -1 .. 1, with NaN where unknown, signed so that most are positive; which pairs (P) each is about."""

    values: np.ndarray
    pairs: List[Tuple[int, ...]]
    about_whole: np.ndarray


def check_sides(file: AnnotationFile) -> Iterator[Finding]:
    """Suspects, and one-sidedness."""
    skeleton, table = file.skeleton, file.table
    if skeleton is None or not skeleton.flip_pairs:
        if skeleton is not None and skeleton.num_keypoints > 1:
            yield from _one_sided(file)
        return
    rows = np.flatnonzero(table.labelled.any(axis=1))
    suspects = swap_suspects(table.keypoints[rows], skeleton.flip_pairs, skeleton.names)
    found = sorted({row for row, _ in suspects})
    if found and len(found) > SUSPICIOUS_SHARES[0] * len(rows):
        places = []
        for row in found:
            pairs = [pair for other, pair in suspects if other == row]
            names = "all" if None in pairs else ", ".join(
                f"{skeleton.names[a]}/{skeleton.names[b]}" for a, b in (skeleton.flip_pairs[p] for p in pairs if p is not None)
            )
            places.append(f"{file.name(int(table.position[rows[row]]))} ({names})")
        yield Finding(
            "side-swap-suspect", WARNING if len(found) > SUSPICIOUS_SHARES[1] * len(rows) else NOTE, "seem to have left "
            "and right swapped", len(found), len(rows), "objects", shown(places),
            "the network learns to confuse the sides", "check them, and swap the labels that are wrong; --fix "
            "does not "
            "guess", keys=suspects,
        )  # fmt: skip
    yield from _one_sided(file)


def swap_suspects(
    keypoints: np.ndarray, pairs: Sequence[Sequence[int]], names: Sequence[str] = ()
) -> List[Tuple[int, Optional[int]]]:
    """(object, pair) of suspects; None as pair if all pairs of the object seem swapped.

    Args:
        keypoints: (N, K, 3) x, y, visibility.
        pairs: P mirror pairs.
        names: K names, by which people are recognised.
    """
    found: List[Tuple[int, Optional[int]]] = []
    names = list(names) or [""] * keypoints.shape[1]
    rules = _learn(keypoints, [(b, a) if "right" in names[a].lower() else (a, b) for a, b in pairs], names)
    for pair in range(len(pairs)):
        columns = [column for column, about in enumerate(rules.pairs) if pair in about]
        needed = min(VOTES, len(columns))
        if needed >= 3:
            found += [(int(row), pair) for row in _outvoted(rules.values[:, columns], needed)]
    whole = [(int(row), None) for row in _outvoted(rules.values[:, rules.about_whole], VOTES_OF_A_WHOLE)]
    told = {row for row, _ in whole}
    return sorted([*whole, *(each for each in found if each[0] not in told)], key=lambda each: each[0])


def _outvoted(values: np.ndarray, needed: int) -> np.ndarray:
    count = np.isfinite(values).sum(axis=1)
    mean = np.nansum(values, axis=1) / np.maximum(count, 1)
    return np.flatnonzero((count >= needed) & (mean < AGAINST))


def _learn(keypoints: np.ndarray, pairs: Sequence[Sequence[int]], names: Sequence[str]) -> _Rules:
    xy, seen = keypoints[..., :2], keypoints[..., 2] > 0
    low, high = np.where(seen[..., None], xy, np.inf).min(axis=1), np.where(seen[..., None], xy, -np.inf).max(axis=1)
    extent = np.where(seen.any(axis=1), (high - low).max(axis=1), np.inf)
    across = [xy[:, b] - xy[:, a] for a, b in pairs]
    known = [seen[:, a] & seen[:, b] & (np.linalg.norm(d, axis=1) > SMALLEST_PAIR * extent) for (a, b), d in zip(pairs, across)]
    parts = [_part(names[a]) for a, _ in pairs]
    columns, whole, stated = [], [], []
    about: List[Tuple[int, ...]] = []
    for p, q in combinations(range(len(pairs)), 2):
        columns.append(np.where(known[p] & known[q], _cosine(across[p], across[q]), np.nan))
        about.append((p, q))
        whole.append(False)
        stated.append(int(frozenset((parts[p], parts[q])) in SAME_WAY))
    paired = {int(i) for pair in pairs for i in pair}
    points = [(xy[:, k], seen[:, k], -1, _part(names[k])) for k in range(xy.shape[1]) if k not in paired]
    points += [((xy[:, a] + xy[:, b]) / 2, seen[:, a] & seen[:, b], p, parts[p]) for p, (a, b) in enumerate(pairs)]
    for p, (a, _) in enumerate(pairs):
        for point, there, own, part in points:
            if own != p:
                columns.append(np.where(known[p] & there, _sine(across[p], point - xy[:, a]), np.nan))
                about.append((p,))
                whole.append(True)
                stated.append(CLOCKWISE.get(parts[p], {}).get(part, 0))
    values = np.stack(columns, axis=1) if columns else np.zeros((len(xy), 0))
    sign, holds = _majority(values)
    known_sign = np.array(stated, np.float64)
    sign = np.where(known_sign != 0, known_sign, sign)
    kept = np.flatnonzero(holds | (known_sign != 0))
    return _Rules(values[:, kept] * sign[kept], [about[column] for column in kept], np.array(whole, bool)[kept])


def _part(name: str) -> str:
    """A name without its side."""
    return name.lower().replace("left", "").replace("right", "").strip("_- .")


def _majority(values: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """(F,) sign of most objects, and whether nearly all share it."""
    with np.errstate(invalid="ignore"):
        clear = np.abs(values) > CLEAR
        forward = (clear & (values > 0)).sum(axis=0)
    total = clear.sum(axis=0)
    most = np.maximum(forward, total - forward)
    return np.where(2 * forward >= total, 1.0, -1.0), (total >= FEWEST_OBJECTS) & (most >= AGREEMENT * total)


def _cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    value: np.ndarray = (a * b).sum(axis=1) / np.maximum(np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1), 1e-9)
    return value


def _sine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    cross = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    value: np.ndarray = cross / np.maximum(np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1), 1e-9)
    return value


def _one_sided(file: AnnotationFile) -> Iterator[Finding]:
    table, skeleton = file.table, file.skeleton
    assert skeleton is not None
    rows = table.labelled.any(axis=1)
    order: Optional[Order] = one_sided(table.keypoints[rows], skeleton.names, skeleton.flip_pairs)
    if order is not None:
        yield Finding(
            "one-sided", NOTE, f"face one way: {order}", order.count, order.total, "objects", [],
            "mirrored training images would show what never occurs", "train without mirroring: flip: false, flip_prob: 0",
        )  # fmt: skip
