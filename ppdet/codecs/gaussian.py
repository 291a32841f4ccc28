"""Gaussian heatmap targets.

Legend: N people, K keypoints, h w heatmap cells.
"""

from __future__ import annotations

import numpy as np

#: Sigmas from the centre at which a windowed target ends, and beyond which a target counts as outside (Xiao et al., ECCV 2018).
REACH = 3


def gaussian_heatmaps(
    uv: np.ndarray, heatmap_wh: tuple[int, int], sigma: float, window_center: np.ndarray | None = None
) -> np.ndarray:
    """``exp(-((x - u)^2 + (y - v)^2) / (2 sigma^2))`` for each centre.

    Args:
        uv: (N, K, 2) centres in heatmap cells.
        heatmap_wh: size of a map.
        sigma: in cells.
        window_center: (N, K, 2) whole cells; values farther than 3 sigma from it along an axis are 0. None: no window.

    Returns:
        (N, K, h, w) float32.
    """
    columns, rows = (
        gaussian_profile(uv[..., axis], heatmap_wh[axis], sigma, None if window_center is None else window_center[..., axis])
        for axis in (0, 1)
    )
    return rows[..., :, None] * columns[..., None, :]


def gaussian_profile(center: np.ndarray, length: int, sigma: float, window_center: np.ndarray | None = None) -> np.ndarray:
    """``exp(-(x - center)^2 / (2 sigma^2))`` at ``x = 0 ... length - 1``: (..., length) float32 of (...) centres."""
    cells = np.arange(length, dtype=np.float64)
    values = np.exp(-((cells - center[..., None]) ** 2) / (2 * sigma**2))
    if window_center is not None:
        values[np.abs(cells - window_center[..., None]) > REACH * sigma] = 0
    return values.astype(np.float32)


def reaches_map(uv: np.ndarray, heatmap_wh: tuple[int, int], sigma: float | np.ndarray) -> np.ndarray:
    """(N, K) bool: whether the 3 sigma box around a centre overlaps the map; otherwise the target would be empty.

    `sigma` is one number, or one per axis (x, y).
    """
    low = np.trunc(uv - REACH * sigma)
    high = np.trunc(uv + REACH * sigma + 1)
    touches: np.ndarray = (low < np.asarray(heatmap_wh)) & (high >= 0)
    return np.asarray(touches.all(axis=-1))
