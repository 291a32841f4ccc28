"""Distribution focal loss (Li et al., NeurIPS 2020, eq. 6)."""

from __future__ import annotations

from typing import Optional, Union

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppdet.core.config.registry import register


@register
class DistributionFocalLoss(nn.Layer):
    """Cross entropy of the two integers around a distance, weighted by their closeness to it.

    Args:
        reduction: PaddleDetection's key; not used, the caller gives the divisor.
        loss_weight: factor on the result.
    """

    def __init__(self, reduction: str = "mean", loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    @staticmethod
    def elementwise(logits: paddle.Tensor, distance: paddle.Tensor) -> paddle.Tensor:
        """(N, R) logits of the values 0 .. R - 1 and (N,) distances in [0, R - 1) -> (N,) losses, without `loss_weight`."""
        below = paddle.floor(distance)
        neighbours = paddle.stack([below, below + 1], axis=-1).astype("int64")
        log_probability = paddle.take_along_axis(F.log_softmax(logits, axis=-1), neighbours, axis=-1)
        closeness = paddle.stack([below + 1 - distance, distance - below], axis=-1)
        return -(log_probability * closeness).sum(axis=-1)

    def forward(
        self,
        logits: paddle.Tensor,
        distance: paddle.Tensor,
        weight: Optional[paddle.Tensor] = None,
        divisor: Union[float, paddle.Tensor] = 1.0,
    ) -> paddle.Tensor:
        """Weighted sum / `divisor` x `loss_weight`; arguments as in `elementwise`, weight (N,)."""
        losses = self.elementwise(logits, distance)
        return (losses if weight is None else losses * weight).sum() / divisor * self.loss_weight
