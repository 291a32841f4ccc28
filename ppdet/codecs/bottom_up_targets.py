"""Bottom-up training targets: the Gaussians of all people in one map per keypoint, and the positions of their tags.

Legend: P people, K keypoints, M people with tags, h w cells of a map.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np


def group_heatmaps(uv: np.ndarray, seen: np.ndarray, heatmap_wh: tuple[int, int], sigma: float) -> np.ndarray:
    """One map per keypoint with a Gaussian for each person, centred on a *whole* cell; the maximum where they overlap.

    The cell is the truncated position; decoding adds the mean truncation error of half a pixel. A Gaussian ends one cell beyond
    3 sigma (Newell et al., NeurIPS 2017, and HigherHRNet's code).

    Args:
        uv: (P, K, 2) cells.
        seen: (P, K) bool.
        heatmap_wh: size of a map.
        sigma: in cells.

    Returns:
        (K, h, w) float32.
    """
    width, height = heatmap_wh
    patch = _patch(float(sigma))
    reach = len(patch) // 2
    cells, inside = _cells(uv, seen, heatmap_wh)
    padded = np.zeros((seen.shape[1], height + 2 * reach, width + 2 * reach), np.float32)
    for person, joint in np.argwhere(inside):
        x, y = cells[person, joint]
        window = padded[joint, y : y + len(patch), x : x + len(patch)]
        np.maximum(window, patch, out=window)
    return np.ascontiguousarray(padded[:, reach : reach + height, reach : reach + width])


def tag_joints(uv: np.ndarray, seen: np.ndarray, heatmap_wh: tuple[int, int], max_people: int) -> np.ndarray:
    """Positions of the tags of each person's keypoints.

    Args:
        uv: (P, K, 2) cells of the map that has tags.
        seen: (P, K) bool.
        heatmap_wh: its size.
        max_people: M; of more people the M largest are taken, largest first.

    Returns:
        (M, K, 2) int64: flat index into the K h w map and 1; 0 and 0 for keypoints unseen or outside, and for unused rows.
    """
    width, height = heatmap_wh
    cells, inside = _cells(uv, seen, heatmap_wh)
    people = np.arange(len(cells))
    if len(people) > max_people:
        people = np.argsort(-_areas(uv, inside), kind="stable")[:max_people]
    joints = np.zeros((max_people, seen.shape[1], 2), np.int64)
    flat = (np.arange(seen.shape[1]) * height + cells[people, :, 1]) * width + cells[people, :, 0]
    joints[: len(people), :, 0] = np.where(inside[people], flat, 0)
    joints[: len(people), :, 1] = inside[people]
    return joints


def _cells(uv: np.ndarray, seen: np.ndarray, heatmap_wh: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Whole cells (P, K, 2) int64 and (P, K) bool: seen and inside the map; cells elsewhere are 0."""
    truncated = np.trunc(np.where(seen[..., None], uv, -1.0))
    inside = seen & (truncated >= 0).all(-1) & (truncated < np.asarray(heatmap_wh)).all(-1)
    return np.where(inside[..., None], truncated, 0).astype(np.int64), inside


def _areas(uv: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """(P,) area of the bounding box of each person's keypoints; -1 for people without any."""
    low = np.where(inside[..., None], uv, np.inf).min(1)
    high = np.where(inside[..., None], uv, -np.inf).max(1)
    return np.where(inside.any(1), np.prod(np.maximum(high - low, 0), axis=-1), -1.0)


@lru_cache(maxsize=8)
def _patch(sigma: float) -> np.ndarray:
    """(2r + 1, 2r + 1) float32 Gaussian of peak 1, r = 3 sigma + 1."""
    reach = round(3 * sigma + 1)
    profile = np.arange(-reach, reach + 1, dtype=np.float64) ** 2
    patch = np.exp(-(profile[:, None] + profile) / (2 * sigma**2)).astype(np.float32)
    patch.flags.writeable = False
    return patch
