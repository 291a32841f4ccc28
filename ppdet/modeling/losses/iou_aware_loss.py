"""Loss of a predicted IoU (Wu et al., "IoU-aware single-stage object detector", 2020). N boxes."""

from __future__ import annotations

import paddle
import paddle.nn.functional as F

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.losses.iou_loss import paired_iou


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
