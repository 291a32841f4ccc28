"""Compares the shapes of poses up to shift, scale and rotation (Procrustes analysis), with keypoints missing.

Poses are complex numbers x + iy; mirroring is the complex conjugate. Legend: N objects, K keypoints.
"""

from __future__ import annotations

from typing import Optional, Sequence, Tuple

import numpy as np

FEWEST_POINTS = 3
ROUNDS = 4


def mean_shape(keypoints: np.ndarray) -> Optional[np.ndarray]:
    """(K,) complex mean of all poses after alignment; NaN for keypoints that are never labelled.

    Args:
        keypoints: (N, K, 3) x, y, visibility.

    Returns:
        None if no two objects share three labelled keypoints.
    """
    z, seen = _complex(keypoints)
    reference = np.where(seen[seen.sum(axis=1).argmax()], z[seen.sum(axis=1).argmax()], np.nan)
    for _ in range(ROUNDS):
        factor, shift, error = fit(z, seen, reference)
        good = np.isfinite(error)
        if good.sum() < 2 and len(z) > 1:
            return None
        laid = factor[good, None] * z[good] + shift[good, None]
        count = seen[good].sum(axis=0)
        total = np.where(seen[good], laid, 0).sum(axis=0)
        reference = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return reference


def fit(z: np.ndarray, seen: np.ndarray, reference: np.ndarray) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Similarity (factor, shift) that aligns each pose with a reference, and the residual relative to the reference's size.

    Args:
        z: (N, K) complex poses.
        seen: (N, K) labelled.
        reference: (K,) complex, NaN where unknown.

    Returns:
        factor, shift (N,) complex; error (N,), NaN below three common keypoints.
    """
    known = np.isfinite(reference.real)
    common = seen & known
    count = np.maximum(common.sum(axis=1), 1)[:, None]
    target = np.where(known, reference, 0)[None].repeat(len(z), axis=0)
    z_mean = np.where(common, z, 0).sum(axis=1, keepdims=True) / count
    w_mean = np.where(common, target, 0).sum(axis=1, keepdims=True) / count
    zc, wc = np.where(common, z - z_mean, 0), np.where(common, target - w_mean, 0)
    energy, size = (np.abs(zc) ** 2).sum(axis=1), (np.abs(wc) ** 2).sum(axis=1)
    factor = (zc.conj() * wc).sum(axis=1) / np.maximum(energy, 1e-12)
    rest = (np.abs(wc - factor[:, None] * zc) ** 2).sum(axis=1) / np.maximum(size, 1e-12)
    enough = (common.sum(axis=1) >= FEWEST_POINTS) & (energy > 0) & (size > 0)
    return factor, (w_mean[:, 0] - factor * z_mean[:, 0]), np.where(enough, np.sqrt(rest), np.nan)


def mirrored_share(keypoints: np.ndarray) -> Tuple[float, int]:
    """Fraction of objects whose mirror image fits the others' shape better than they do, and how many can be compared.

    Near 0 or 1: all have the same handedness. In between: both occur (left and right hands).
    """
    z, seen = _complex(keypoints)
    best = (float("inf"), 0.0, 0)
    for row in range(min(len(z), 5)):  # a mean over both kinds would be flat: take single objects as references
        reference = np.where(seen[row], z[row], np.nan)
        same, other = fit(z, seen, reference)[2], fit(z.conj(), seen, reference)[2]
        both = np.isfinite(same) & np.isfinite(other)
        if both.sum() > best[2]:
            best = (0.0, float((other[both] < same[both]).mean()), int(both.sum()))
    return best[1], best[2]


def turns(keypoints: np.ndarray) -> np.ndarray:
    """(N,) degrees between the orientation of each object and the mean orientation; objects without one are left out."""
    z, seen = _complex(keypoints)
    reference = mean_shape(keypoints)
    if reference is None:
        return np.zeros(0)
    factor, _, error = fit(z, seen, reference)
    angle = -np.angle(factor[np.isfinite(error)])
    if not angle.size:
        return np.zeros(0)
    middle = np.angle(np.exp(1j * angle).mean())
    return np.degrees(np.angle(np.exp(1j * (angle - middle))))


def pairs_asymmetry(keypoints: np.ndarray, pairs: Sequence[Sequence[int]]) -> Tuple[float, float]:
    """How far the mirror image with swapped pairs is from the poses, with the pairs as given, and without swapping (medians)."""
    z, seen = _complex(keypoints)
    order = np.arange(z.shape[1])
    for a, b in pairs:
        order[a], order[b] = b, a
    reference = mean_shape(keypoints)
    if reference is None:
        return float("nan"), float("nan")
    swapped = fit(z.conj()[:, order], seen[:, order], reference)[2]
    plain = fit(z.conj(), seen, reference)[2]
    with np.errstate(all="ignore"):
        return _median(swapped), _median(plain)


def _median(values: np.ndarray) -> float:
    good = values[np.isfinite(values)]
    return float(np.median(good)) if good.size else float("nan")


def _complex(keypoints: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    table = np.asarray(keypoints, np.float64)
    return table[..., 0] + 1j * table[..., 1], table[..., 2] > 0
