"""Losses of the overlap of paired boxes, and of a predicted overlap. N boxes."""

from __future__ import annotations

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError

EPSILON = 1e-9


@register
class IouLoss:
    """1 - IoU^2, or 1 - IoU, per pair of boxes.

    Args:
        loss_weight: factor on the loss.
        loss_square: square the IoU, which weakens the gradient of pairs with little overlap.
        giou, diou, ciou: PaddleDetection's keys of other losses; only false.

    Raises:
        ConfigError: another loss is asked for.
    """

    def __init__(
        self, loss_weight: float = 2.5, giou: bool = False, diou: bool = False, ciou: bool = False, loss_square: bool = True
    ) -> None:
        if giou or diou or ciou:
            raise ConfigError("IouLoss: giou, diou and ciou are not supported; remove the keys, PP-YOLOv2 uses the plain IoU")
        self.loss_weight, self.loss_square = loss_weight, loss_square

    def __call__(self, boxes: paddle.Tensor, target: paddle.Tensor) -> paddle.Tensor:
        """xyxy (N, 4) and (N, 4) -> (N,) weighted losses."""
        iou = paired_iou(boxes, target)
        return self.loss_weight * (1 - (iou * iou if self.loss_square else iou))


def paired_iou(boxes: paddle.Tensor, target: paddle.Tensor) -> paddle.Tensor:
    """IoU of boxes xyxy (..., 4) with broadcasting -> (...)."""
    corner1 = paddle.maximum(boxes[..., :2], target[..., :2])
    corner2 = paddle.minimum(boxes[..., 2:], target[..., 2:])
    common = paddle.clip(corner2 - corner1, min=0.0).prod(axis=-1)
    areas = [paddle.clip(each[..., 2:] - each[..., :2], min=0.0).prod(axis=-1) for each in (boxes, target)]
    return common / (areas[0] + areas[1] - common + EPSILON)


@register
class IouAwareLoss:
    """Cross entropy between a predicted IoU and the IoU of the predicted box, which gets no gradient.

    Args:
        loss_weight: factor on the loss.
        giou, diou, ciou: PaddleDetection's keys of other overlaps; only false.

    Raises:
        ConfigError: another overlap is asked for.
    """

    def __init__(self, loss_weight: float = 1.0, giou: bool = False, diou: bool = False, ciou: bool = False) -> None:
        if giou or diou or ciou:
            raise ConfigError("IouAwareLoss: giou, diou and ciou are not supported; remove the keys")
        self.loss_weight = loss_weight

    def __call__(self, logits: paddle.Tensor, boxes: paddle.Tensor, target: paddle.Tensor) -> paddle.Tensor:
        """Logits (N,), predicted and annotated boxes xyxy (N, 4) -> (N,) weighted losses."""
        iou = paired_iou(boxes, target).detach()
        return self.loss_weight * F.binary_cross_entropy_with_logits(logits, iou, reduction="none")


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
