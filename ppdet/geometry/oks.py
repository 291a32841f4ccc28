"""Object keypoint similarity (COCO keypoint evaluation; Ronchi and Perona, ICCV 2017) and suppression by it.

Legend: N, M poses, K keypoints.
"""

from __future__ import annotations

from typing import Optional

import numpy as np

from ppdet.geometry.boxes import greedy_suppression


def oks_matrix(
    keypoints_a: np.ndarray,
    areas_a: np.ndarray,
    keypoints_b: np.ndarray,
    areas_b: np.ndarray,
    sigmas: np.ndarray,
    visible: Optional[np.ndarray] = None,
) -> np.ndarray:
    """(N, M) mean over keypoints of ``exp(-d^2 / (2 (2 sigma)^2 area))``, area being the mean of both poses' areas.

    Args:
        keypoints_a: (N, K, 2 or 3) xy[score].
        areas_a: (N,) square pixels.
        keypoints_b: (M, K, 2 or 3).
        areas_b: (M,).
        sigmas: (K,) of the skeleton.
        visible: optional (N, M, K) mask of the keypoints to compare; a pair without any has similarity 0.
    """
    a = np.asarray(keypoints_a, np.float64)[..., :2]
    b = np.asarray(keypoints_b, np.float64)[..., :2]
    variances = (2 * np.asarray(sigmas, np.float64)) ** 2
    # One coordinate at a time: NumPy is slow over a last axis of two.
    squared = (a[:, None, :, 0] - b[None, :, :, 0]) ** 2 + (a[:, None, :, 1] - b[None, :, :, 1]) ** 2  # (N, M, K)
    area = (np.asarray(areas_a, np.float64)[:, None] + np.asarray(areas_b, np.float64)[None, :]) / 2
    similarity = np.exp(-squared / variances / (area[..., None] + np.spacing(1)) / 2)
    if visible is None:
        return similarity.mean(-1)
    count = visible.sum(-1)
    return np.divide((similarity * visible).sum(-1), count, out=np.zeros(count.shape), where=count > 0)


def oks_nms(
    keypoints: np.ndarray, scores: np.ndarray, areas: np.ndarray, sigmas: np.ndarray, threshold: float = 0.9
) -> np.ndarray:
    """Greedy suppression of (N, K, 2 or 3) poses whose OKS with a better pose exceeds ``threshold``; kept indices, best first."""
    order = np.argsort(-np.asarray(scores, np.float64), kind="stable")
    return greedy_suppression(order, oks_matrix(keypoints, areas, keypoints, areas, sigmas), threshold)


def soft_oks_nms(
    keypoints: np.ndarray,
    scores: np.ndarray,
    areas: np.ndarray,
    sigmas: np.ndarray,
    threshold: float = 0.9,
    max_poses: int = 20,
) -> tuple[np.ndarray, np.ndarray]:
    """Soft suppression: each selected pose multiplies the scores of the remaining ones by ``exp(-oks^2 / threshold)``.

    The Gaussian form of Bodla et al., ICCV 2017, with OKS in place of IoU.

    Returns:
        Indices of at most ``max_poses`` poses in order of selection, and their new scores.
    """
    left = np.asarray(scores, np.float64).copy()
    overlap = oks_matrix(keypoints, areas, keypoints, areas, sigmas)
    alive = np.ones(len(left), bool)
    taken: list[int] = []
    final: list[float] = []
    while alive.any() and len(taken) < max_poses:
        best = int(np.where(alive, left, -np.inf).argmax())
        taken.append(best)
        final.append(left[best])
        alive[best] = False
        left[alive] *= np.exp(-(overlap[best][alive] ** 2) / threshold)
    return np.array(taken, dtype=np.int64), np.array(final)
