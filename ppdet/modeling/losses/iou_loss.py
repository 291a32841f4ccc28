"""IoU loss of paired boxes. N boxes."""

from __future__ import annotations

import paddle

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
