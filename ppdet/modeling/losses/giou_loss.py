"""Generalised IoU loss (Rezatofighi et al., CVPR 2019)."""

from __future__ import annotations

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppdet.core.config.registry import register


@register
class GIoULoss(nn.Layer):
    """1 - GIoU.

    Args:
        loss_weight: factor on the result.
        eps: added to the areas of union and hull.
        reduction: PaddleDetection's key; not used, losses are returned per row.
    """

    def __init__(self, loss_weight: float = 1.0, eps: float = 1e-10, reduction: str = "none") -> None:
        super().__init__()
        self.loss_weight, self.eps = loss_weight, eps

    def forward(self, boxes: paddle.Tensor, target: paddle.Tensor) -> paddle.Tensor:
        """(N, 4) xyxy boxes and targets in the same units -> (N,) losses x `loss_weight`."""
        x1, y1, x2, y2 = paddle.unbind(boxes, axis=-1)
        tx1, ty1, tx2, ty2 = paddle.unbind(target, axis=-1)
        width = F.relu(paddle.minimum(x2, tx2) - paddle.maximum(x1, tx1))
        inter = width * F.relu(paddle.minimum(y2, ty2) - paddle.maximum(y1, ty1))
        areas = (x2 - x1) * (y2 - y1) + (tx2 - tx1) * (ty2 - ty1)
        union = areas - inter + self.eps
        hull = (paddle.maximum(x2, tx2) - paddle.minimum(x1, tx1)) * (paddle.maximum(y2, ty2) - paddle.minimum(y1, ty1))
        hull = hull + self.eps
        return (1 - (inter / union - (hull - union) / hull)) * self.loss_weight
