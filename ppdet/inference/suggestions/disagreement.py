"""Measures how far two estimates of the poses in one image differ.

Legend: N, M people, K keypoints.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FARTHEST_MATCH = 0.5
"""Poses farther apart than this, as a part of the person's size, are of two people."""
SMALLEST_SIZE = 0.05
"""Size of a person at least, as a part of the image's diagonal: keypoints may lie on one spot, or be one alone."""


@dataclass(frozen=True)
class Poses:
    """People in an image.

    Attributes:
        keypoints: (N, K, 2) image pixels.
        scores: (N, K).
    """

    keypoints: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True)
class Difference:
    """Between two estimates.

    Attributes:
        value: of the person they disagree most about, 0 to 1: mean distance of its keypoints as a part of its size. 1 if only one
            of the estimates has that person.
        per_keypoint: (K,) the same for each keypoint of that person, NaN if only one estimate has the person.
    """

    value: float
    per_keypoint: np.ndarray


def difference(first: Poses, second: Poses, diagonal: float) -> Difference:
    """Compare two estimates of one image.

    Keypoints count by their scores: where a keypoint is hidden or outside the image, nobody knows where it is.

    Args:
        first, second: the estimates, with N and M people.
        diagonal: of the image, in pixels.
    """
    count = first.keypoints.shape[1]
    unknown = np.full(count, np.nan)
    if not len(first.keypoints) and not len(second.keypoints):
        return Difference(0.0, np.zeros(count))
    if not len(first.keypoints) or not len(second.keypoints):
        return Difference(1.0, unknown)
    apart = np.linalg.norm(first.keypoints[:, None] - second.keypoints[None], axis=3)  # (N, M, K)
    apart = np.minimum(apart / _sizes(first.keypoints, diagonal)[:, None, None], 1.0)
    weight = np.maximum(first.scores[:, None] + second.scores[None], 1e-6)
    means = (apart * weight).sum(axis=2) / weight.sum(axis=2)
    pairs = _matches(means)
    if len(pairs) < max(means.shape):
        return Difference(1.0, unknown)
    worst = max(pairs, key=lambda pair: float(means[pair]))
    return Difference(float(means[worst]), apart[worst])


def _sizes(keypoints: np.ndarray, diagonal: float) -> np.ndarray:
    """(N,) lengths of the diagonals around the keypoints."""
    extent = keypoints.max(axis=1) - keypoints.min(axis=1)
    return np.maximum(np.linalg.norm(extent, axis=1), SMALLEST_SIZE * diagonal)


def _matches(means: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of people, the nearest first. A single person on both sides is the same one, however far apart."""
    if means.shape == (1, 1):
        return [(0, 0)]
    left, pairs = means.copy(), []
    while np.isfinite(left).any() and left.min() <= FARTHEST_MATCH:
        row, column = np.unravel_index(int(left.argmin()), left.shape)
        pairs.append((int(row), int(column)))
        left[row], left[:, column] = np.inf, np.inf
    return pairs
