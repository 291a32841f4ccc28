"""Losses of HigherHRNet and SWAHR as their papers write them, person by person and cell by cell, in float64."""

from __future__ import annotations

import math

import numpy as np


def pull_and_push(tag: np.ndarray, tag_joints: np.ndarray, paddledet_exact: bool = False) -> tuple[float, float]:
    """Newell et al. 2017, eq. 1, with HigherHRNet's factors; tag (B, K, h, w), tag_joints (B, M, K, 2). Before 1e-3."""
    pulls, pushes = [], []
    for each, keypoints in zip(tag, tag_joints):
        flat = each.reshape(-1).astype(np.float64)
        people = [[flat[place] for place, there in person if there > 0] for person in keypoints]
        people = [tags for tags in people if tags]
        means = [sum(tags) / len(tags) for tags in people]
        pull = sum(sum((t - m) ** 2 for t in tags) / len(tags) for tags, m in zip(people, means))
        count = sum(len(tags) > 1 for tags in people) if paddledet_exact else len(people)
        pulls.append(pull / max(count, 1))
        push = 0.0
        for p, first in enumerate(means):
            push += sum(math.exp(-((first - second) ** 2)) for q, second in enumerate(means) if q != p)
        n = len(means)
        pushes.append(0.5 * push / (n * (n - 1)) if n > 1 else 0.0)
    return sum(pulls) / len(pulls), sum(pushes) / len(pushes)


def heatmap_error(predicted: np.ndarray, target: np.ndarray, mask: np.ndarray, clip: float = math.inf) -> float:
    """Mean over all cells, in or out of the mask, of the squared error inside it."""
    total = 0.0
    for index in np.ndindex(*predicted.shape):
        batch, _, row, column = index
        total += min((float(predicted[index]) - float(target[index])) ** 2 * float(mask[batch, row, column]), clip)
    return total / predicted.size


def swahr_error(
    predicted: np.ndarray, target: np.ndarray, mask: np.ndarray, scale: np.ndarray, paddledet_exact: bool = False
) -> tuple[float, float]:
    """Luo et al. 2021: error and regulariser."""
    error = regulariser = 0.0
    for index in np.ndindex(*predicted.shape):
        p, g, s = float(predicted[index]), float(target[index]), float(scale[index]) - 1
        inside = float(mask[index[0], index[2], index[3]])
        if g > 0:
            scaled = 0.5 * g * (1 + (1 + s * math.log(g)) ** 2)
            regulariser += s**2 * (1.0 if paddledet_exact else inside)
            share = (scaled if paddledet_exact else g) ** 0.01
        else:
            scaled = share = 0.0
        error += inside * (share * abs(1 - p) + (1 - share) * abs(p)) * (p - scaled) ** 2
    return error / predicted.size, regulariser / predicted.size
