"""Heatmap loss with scale-adaptive targets and weights that emphasise cells near keypoints.

Legend: B batch, K keypoints, h w heatmap cells.
"""

from __future__ import annotations

from typing import Tuple

import paddle
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.modeling.losses.heatmap_loss import require_same_size

GAMMA = 0.01
TINY = 1e-10


@register
class HeatMapSWAHRLoss(nn.Layer):
    """SWAHR (Luo et al., CVPR 2021): scale-adaptive targets and weight-adaptive errors.

    With s = scale - 1 where the target g is above 0, and s = 0 elsewhere::

        g' = g (1 + s ln g + s^2 ln^2 g / 2)                    eq. 5: a Gaussian of another width, to second order
        w  = g^.01 |1 - p| + (1 - g^.01) |p|                    eq. 8
        error = mean of mask w (p - g')^2,  regulariser = mean of mask s^2

    As in the authors' code, w is computed from g where the paper writes g'.

    Args:
        loss_factor: on both parts.
        paddledet_exact: shared; PaddleDetection computes w from g', and its regulariser also counts cells outside the mask.
    """

    __shared__ = ["paddledet_exact"]

    def __init__(self, loss_factor: float = 1.0, paddledet_exact: bool = False) -> None:
        super().__init__()
        self.loss_factor = loss_factor
        self.paddledet_exact = paddledet_exact

    def forward(
        self, predicted: paddle.Tensor, target: paddle.Tensor, mask: paddle.Tensor, scale: paddle.Tensor
    ) -> Tuple[paddle.Tensor, paddle.Tensor]:
        """(B, K, h, w) maps and (B, h, w) mask, 1 where people are labelled, else 0 -> error, regulariser.

        Raises:
            ConfigError: the shapes do not fit.
        """
        require_same_size(predicted, target)
        mask = mask.unsqueeze(1)
        inside = target > 0
        excess = (scale - 1.0) * inside.astype(scale.dtype)
        logs = paddle.log(paddle.where(inside, target + (TINY if self.paddledet_exact else 0.0), paddle.ones_like(target)))
        step = excess * logs
        scaled = target * (1.0 + step + 0.5 * step**2)
        share = _power(scaled if self.paddledet_exact else target, inside)
        weight = share * (1.0 - predicted).abs() + (1.0 - share) * predicted.abs()
        error = ((predicted - scaled) ** 2 * mask * weight).mean()
        regulariser = (excess**2).mean() if self.paddledet_exact else (excess**2 * mask).mean()
        return self.loss_factor * error, self.loss_factor * regulariser


def _power(values: paddle.Tensor, inside: paddle.Tensor) -> paddle.Tensor:
    """values^.01 where `inside`, else 0; avoids the infinite slope at 0."""
    return paddle.where(inside, paddle.where(inside, values, paddle.ones_like(values)) ** GAMMA, paddle.zeros_like(values))
