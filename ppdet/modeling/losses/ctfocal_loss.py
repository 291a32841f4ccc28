"""Focal loss of centre heatmaps (Law and Deng, CornerNet, ECCV 2018, eq. 1; Zhou et al., arXiv:1904.07850, eq. 1)."""

from __future__ import annotations

import paddle
from paddle import nn

from ppdet.core.config.registry import register

SMALLEST = 1e-4
"""Probabilities are kept this far from 0 and 1."""


@register
class CTFocalLoss(nn.Layer):
    """Cross entropy with small weights where the prediction is right already, and near centres.

    Args:
        loss_weight: factor on the result.
        gamma: exponent of 1 - target in the weight of cells that are no centre.
    """

    def __init__(self, loss_weight: float = 1.0, gamma: float = 4.0) -> None:
        super().__init__()
        self.loss_weight, self.gamma = loss_weight, gamma

    def forward(self, found: paddle.Tensor, target: paddle.Tensor) -> paddle.Tensor:
        """Probabilities and targets of one shape, 1 at centres -> a number: the sum over all cells per centre."""
        found = paddle.clip(found, SMALLEST, 1 - SMALLEST)
        centre = (target == 1).astype("float32")
        at_centres = paddle.log(found) * (1 - found) ** 2 * centre
        elsewhere = paddle.log(1 - found) * found**2 * (1 - target) ** self.gamma * (1 - centre)
        return -self.loss_weight * (at_centres + elsewhere).sum() / paddle.clip(centre.sum(), min=1.0)
