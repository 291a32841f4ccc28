"""Peaks of responses along one axis, in whole bins and at sub-bin precision.

Legend: M responses (batch and keypoints together), n bins.
"""

from __future__ import annotations

import numpy as np


def find_axis_peaks(responses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Highest bin of each of (M, n) responses: (M,) int64, and (M,) values. NaN wins over every number."""
    bins = responses.argmax(axis=1)
    return bins, responses[np.arange(len(responses)), bins]


def refine_gaussian(responses: np.ndarray, bins: np.ndarray, sigma: float) -> np.ndarray:
    """Centre of a Gaussian of known sigma, unknown height and unknown base, through three bins about the highest one.

    A network that learns under a softmax gives its target plus any constant, so neither a parabola through the values nor one
    through their logarithms is exact. Of ``f(x) = a exp(-(x - m)^2 / 2 sigma^2) + c`` at ``-h, 0, h``, with
    ``e = exp(-h^2 / 2 sigma^2)`` and ``t = h m / sigma^2``, both ``a`` and ``c`` cancel in::

        r = (f(h) - f(-h)) / (f(h) + f(-h) - 2 f(0)) = e sinh t / (e cosh t - 1)

    which is quadratic in ``exp(t)``. The bins are one sigma apart, where the top is no longer flat and noise matters little.

    Args:
        responses: (M, n) float.
        bins: (M,) the highest bins.
        sigma: of the target, in bins.

    Returns:
        (M,) float64 bins; the highest bin itself where the three values form no peak near it.
    """
    count = responses.shape[1]
    step = min(max(1, round(sigma)), (count - 1) // 2)
    if step < 1:
        return bins.astype(np.float64)
    rows = np.arange(len(responses))
    middle = np.clip(bins, step, count - 1 - step)
    low, top, high = (responses[rows, middle + offset].astype(np.float64) for offset in (-step, 0, step))
    curvature = high + low - 2 * top
    e = np.exp(-(step**2) / (2 * sigma**2))
    with np.errstate(all="ignore"):
        # t is odd in r; of the two roots the one with t = 0 at r = 0, written so that nothing cancels.
        r = np.abs(high - low) / -curvature
        t = np.log((r + np.sqrt(r**2 * (1 - e**2) + e**2)) / (e * (r + 1)))
        center = middle + np.sign(high - low) * t * sigma**2 / step
        good = (curvature < 0) & (np.abs(center - bins) <= max(step / 2, 1.0))
    return np.where(good, center, bins)
