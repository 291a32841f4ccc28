"""Boxes as distances to their four sides, each a distribution over integers (Li et al., NeurIPS 2020, sec. 3)."""

from __future__ import annotations

from typing import Sequence, Tuple

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn


class DistributionProject(nn.Layer):
    """Expected value of each side's distribution; key ``project``, the values 0 to reg_max."""

    def __init__(self, reg_max: int) -> None:
        super().__init__()
        self._bins = reg_max + 1
        self.register_buffer("project", paddle.arange(self._bins, dtype="float32"))

    def forward(self, logits: paddle.Tensor) -> paddle.Tensor:
        """(B, L, 4 (reg_max + 1)) logits -> (B, L, 4) distances left, top, right, bottom in cells."""
        length = logits.shape[1]
        probabilities = F.softmax(logits.reshape([-1, length, 4, self._bins]), axis=-1)
        return (probabilities * self.project).sum(axis=-1)


def anchor_points(input_hw: Tuple[int, int], strides: Sequence[int], cell_offset: float) -> Tuple[np.ndarray, np.ndarray]:
    """The anchor point of each prediction.

    Args:
        input_hw: height and width of the network's input.
        strides: input pixels per cell of each level.
        cell_offset: position of the point in its cell; .5 is the centre.

    Returns:
        xy (L, 2) and stride (L, 1), float32, in input pixels; level by level, rows from the top.
    """
    points, sizes = [], []
    for stride in strides:
        height, width = (-(-side // stride) for side in input_hw)
        y, x = np.mgrid[:height, :width].astype(np.float32)
        xy = np.stack([x, y], axis=-1).reshape(-1, 2)
        points.append((xy + cell_offset) * stride)
        sizes.append(np.full((len(xy), 1), stride, np.float32))
    return np.concatenate(points), np.concatenate(sizes)
