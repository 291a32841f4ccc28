"""Finds poses that are of one person.

Legend: N people, K keypoints, P pairs.
"""

from __future__ import annotations

import numpy as np

# Two poses are of one person if keypoints of both are on average nearer to each other than this share of the smaller person's
# size, and they have this many keypoints in common, or half of the skeleton's. Of 538 people in photographs, with the bundled
# models, 14 of 14 such pairs were, by eye, one person in two boxes; with .09, 18 of 19.
SAME_SHARE, LEAST_COMMON = 0.06, 6


def same_poses(keypoints: np.ndarray, visible: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Pairs of people who have the same pose at the same place.

    Args:
        keypoints: (N, K, 2) pixels.
        visible: (N, K) bool.
        sizes: (N,) longer sides of their boxes in pixels.

    Returns:
        (P, 2) int64 rows, the smaller one first.
    """
    one, other = np.triu_indices(len(keypoints), 1)
    both = visible[one] & visible[other]
    apart = np.linalg.norm(keypoints[one] - keypoints[other], axis=2)
    common = both.sum(axis=1)
    mean = np.where(both, apart, 0.0).sum(axis=1) / np.maximum(common, 1)
    is_near = mean < SAME_SHARE * np.minimum(sizes[one], sizes[other])
    is_same = is_near & (common >= min(LEAST_COMMON, -(-visible.shape[1] // 2)))
    return np.stack([one[is_same], other[is_same]], axis=1)


def without_twins(
    keypoints: np.ndarray, visible: np.ndarray, sizes: np.ndarray, ranking: np.ndarray, known: np.ndarray
) -> np.ndarray:
    """(N,) bool: whom to keep so that each person counts once, the first in the ranking.

    Args:
        keypoints, visible, sizes: see `same_poses`.
        ranking: (N,) scores, the higher the better.
        known: (N,) bool: people who are known to be different ones; they are kept, and come before others.
    """
    keep = np.ones(len(keypoints), bool)
    pairs = same_poses(keypoints, visible, sizes)
    order = np.lexsort((-ranking, ~known))
    place = np.argsort(order)
    ranked = np.sort(place[pairs], axis=1)
    for better, worse in order[ranked[np.argsort(ranked[:, 0], kind="stable")]].tolist():
        if keep[better] and not known[worse]:
            keep[worse] = False
    return keep
