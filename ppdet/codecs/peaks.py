"""Peaks of heatmaps, in whole cells and at sub-cell precision.

Legend: M maps (batch and keypoints together), h w heatmap cells.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

_FLOOR = 1e-10  # values are clipped to this before taking logarithms


def find_peaks(maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Highest cell of each (M, h, w) map: (M, 2) whole cells as int, and (M,) values. NaN wins over every number."""
    flat = maps.reshape(len(maps), -1)
    at = flat.argmax(1)
    value = flat[np.arange(len(flat)), at]
    return np.stack([at % maps.shape[2], at // maps.shape[2]], axis=1), value


def quarter_offset(maps: np.ndarray, cells: np.ndarray, margin: int = 1) -> np.ndarray:
    """Move each peak a quarter of a cell towards its higher neighbour (Newell et al., ECCV 2016).

    Args:
        maps: (M, h, w).
        cells: (M, 2) whole cells.
        margin: peaks nearer to the left or top edge than this many cells are not moved (on the right and bottom it is always
            one cell); the original code uses 2, as ``1 < p``.

    Returns:
        (M, 2) float64.
    """
    h, w = maps.shape[1:]
    u, v = cells.T
    inner = (u >= margin) & (u < w - 1) & (v >= margin) & (v < h - 1)
    m, ui, vi = np.flatnonzero(inner), u[inner], v[inner]
    uv = cells.astype(np.float64)
    uv[inner, 0] += 0.25 * np.sign(maps[m, vi, ui + 1] - maps[m, vi, ui - 1])
    uv[inner, 1] += 0.25 * np.sign(maps[m, vi + 1, ui] - maps[m, vi - 1, ui])
    return uv


def soft_argmax(maps: np.ndarray, beta: float) -> np.ndarray:
    """Mean position under softmax(beta map), over all cells (Luvizon et al., 2019; Zhang et al., arXiv:1911.10346).

    Args:
        maps: (M, h, w).
        beta: larger values approach the highest cell. A Gaussian of peak 1 acts as if its sigma were sigma / sqrt(beta).

    Returns:
        (M, 2) float64 cells.
    """
    h, w = maps.shape[1:]
    weight = np.exp(beta * (maps - maps.max((1, 2), keepdims=True)).astype(np.float64))
    total = weight.sum((1, 2))
    return np.stack([weight.sum(1) @ np.arange(w) / total, weight.sum(2) @ np.arange(h) / total], axis=1)


def dark_offset(maps: np.ndarray, cells: np.ndarray, blur_kernel: int) -> tuple[np.ndarray, np.ndarray]:
    """DARK's Newton step on the logarithm of the blurred map.

    Zhang et al., CVPR 2020, eq. 9, with the authors' finite differences: first ones over two cells, second ones over four. Only
    the neighbourhood of each peak is blurred. The paper scales the blurred map back to its old maximum; that only adds a
    constant to the logarithm and is left out.

    Args:
        maps: (M, h, w).
        cells: (M, 2) whole cells.
        blur_kernel: odd size of the Gaussian blur; 1 for none. Cells outside the map count as zero.

    Returns:
        (M, 2) offset in cells and (M,) bool: whether the step is defined, i.e. the peak has two cells on every side and the
        Hessian can be inverted.
    """
    offset, defined, _ = dark_step(maps, cells, blur_kernel)
    return offset, defined


def dark_step(maps: np.ndarray, cells: np.ndarray, blur_kernel: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What `dark_offset` gives and, from the same blurred neighbourhoods, (M,) bool: whether the map is concave along both axes
    at the peak; otherwise a Newton step is meaningless."""
    near = _blurred_neighbourhood(maps, cells, 2, blur_kernel // 2)
    log = np.log(np.maximum(near, _FLOOR))
    gradient = np.stack([log[:, 2, 3] - log[:, 2, 1], log[:, 3, 2] - log[:, 1, 2]], axis=1) / 2
    dxx = (log[:, 2, 4] - 2 * log[:, 2, 2] + log[:, 2, 0]) / 4
    dyy = (log[:, 4, 2] - 2 * log[:, 2, 2] + log[:, 0, 2]) / 4
    dxy = (log[:, 3, 3] - log[:, 1, 3] - log[:, 3, 1] + log[:, 1, 1]) / 4
    step, det = _newton_step(gradient, dxx, dyy, dxy)
    h, w = maps.shape[1:]
    inner = ((cells >= 2) & (cells < np.array([w - 2, h - 2]))).all(1)
    centre = 2 * near[:, 2, 2]
    is_peak = (near[:, 2, 4] + near[:, 2, 0] < centre) & (near[:, 4, 2] + near[:, 0, 2] < centre)
    return step, inner & (det != 0), is_peak


def border_offset(maps: np.ndarray, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sub-cell offset of peaks too near the border for :func:`dark_offset`.

    Along each axis a parabola is fitted to the logarithm of the unblurred map at the three cells inside the map that are nearest
    to the peak. For a Gaussian this is exact, however much of it is cut off.

    Returns:
        (M, 2) offset from the peak, at most one cell, and (M,) bool: all cells used are positive and the parabola has a peak.
    """
    h, w = maps.shape[1:]
    if h < 3 or w < 3:
        return np.zeros((len(maps), 2)), np.zeros(len(maps), bool)
    m = np.arange(len(maps))
    centre = np.clip(cells, 1, [w - 2, h - 2])
    offset, good = np.empty((len(maps), 2)), np.ones(len(maps), bool)
    for axis, along in ((0, (1, 0)), (1, (0, 1))):
        # the peak's own row and column, not the clipped centre's: the profile is highest there
        base = cells.copy()
        base[:, axis] = centre[:, axis]
        low, mid, high = (
            maps[m, base[:, 1] + k * along[1], base[:, 0] + k * along[0]].astype(np.float64) for k in (-1, 0, 1)
        )
        good &= np.minimum(np.minimum(low, mid), high) > _FLOOR
        low, mid, high = (np.log(np.maximum(x, _FLOOR)) for x in (low, mid, high))
        bend = high - 2 * mid + low
        good &= bend < 0
        step = -(high - low) / 2 / np.where(bend < 0, bend, -1.0)
        offset[:, axis] = centre[:, axis] + step - cells[:, axis]
    return np.clip(offset, -1, 1), good


@lru_cache(maxsize=32)
def blur_bias(sigma: float, blur_kernel: int) -> tuple[np.ndarray, np.ndarray]:
    """What :func:`dark_offset` reports along one axis for a Gaussian of known sigma, against the truth.

    A Gaussian blurred by a short kernel is no longer a Gaussian, so its logarithm is no parabola and the Newton step misses by
    up to 0.013 cells (sigma 1, kernel 3). Both are separable, so one table per axis corrects it.

    Returns:
        (reported, true) offsets, both increasing, for true offsets of -0.6 to 0.6 cells.
    """
    true = np.linspace(-0.6, 0.6, 241)
    kernel = gaussian_kernel(blur_kernel)
    taps = np.arange(blur_kernel) - blur_kernel // 2
    cells = np.arange(-2, 3)
    profile = np.exp(-((cells[:, None, None] + taps[:, None] - true) ** 2) / (2 * sigma**2))  # (5, taps, offsets)
    log = np.log(np.einsum("ktn,t->kn", profile, kernel))
    reported = -((log[3] - log[1]) / 2) / ((log[4] - 2 * log[2] + log[0]) / 4)
    return reported, true


def unbias(offset: np.ndarray, sigma: float, blur_kernel: int) -> np.ndarray:
    """Offsets of :func:`dark_offset` corrected by :func:`blur_bias`; beyond the table they stay unchanged."""
    reported, true = blur_bias(float(sigma), blur_kernel)
    inside = np.abs(offset) <= reported[-1]
    return np.where(inside, np.interp(offset, reported, true), offset)


def gaussian_kernel(size: int) -> np.ndarray:
    """(size,) float64 blur weights as ``cv2.GaussianBlur(..., sigma=0)`` takes them; size 3 is 1/4, 1/2, 1/4."""
    return cv2.getGaussianKernel(size, 0, cv2.CV_64F).ravel()


def _blurred_neighbourhood(maps: np.ndarray, cells: np.ndarray, reach: int, radius: int) -> np.ndarray:
    """(M, 2 reach + 1, 2 reach + 1) float64 blurred values around each cell; zeros are assumed outside the map."""
    pad = reach + radius
    span = np.arange(-pad, pad + 1)
    h, w = maps.shape[1:]
    xs, ys = cells[:, 0, None] + span, cells[:, 1, None] + span
    at = np.clip(ys, 0, h - 1)[:, :, None] * w + np.clip(xs, 0, w - 1)[:, None, :] + np.arange(len(maps))[:, None, None] * (h * w)
    patch = np.ascontiguousarray(maps).reshape(-1)[at].astype(np.float64)
    outside_x, outside_y = (xs < 0) | (xs >= w), (ys < 0) | (ys >= h)
    if outside_x.any() or outside_y.any():
        patch[outside_y[:, :, None] | outside_x[:, None, :]] = 0.0
    if radius == 0:
        return patch
    side = 2 * reach + 1
    band = np.zeros((side, len(span)))
    kernel = gaussian_kernel(2 * radius + 1)
    for row in range(side):
        band[row, row : row + len(kernel)] = kernel
    return band @ patch @ band.T


def _newton_step(gradient: np.ndarray, dxx: np.ndarray, dyy: np.ndarray, dxy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    det = dxx * dyy - dxy**2
    safe = np.where(det != 0, det, 1.0)
    gx, gy = gradient.T
    return np.stack([(dxy * gy - dyy * gx) / safe, (dxy * gx - dxx * gy) / safe], axis=1), det
