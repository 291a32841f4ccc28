"""Varifocal loss (Zhang et al., CVPR 2021, eq. 2)."""

from __future__ import annotations

from typing import Union

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError

ALPHA, GAMMA = 0.75, 2.0


def cross_entropy(probability: paddle.Tensor, target: paddle.Tensor) -> paddle.Tensor:
    """Elementwise binary cross entropy; logarithms are cut at -100, as Paddle does."""
    return F.binary_cross_entropy(probability, target, reduction="none")


def varifocal(
    probability: paddle.Tensor, target: paddle.Tensor, alpha: float = ALPHA, gamma: float = GAMMA, iou_weighted: bool = True
) -> paddle.Tensor:
    """Elementwise loss of probabilities: weight x cross entropy.

    The weight is the target where that is above 0 (1 without `iou_weighted`), elsewhere alpha |p - t|^gamma; gradients flow
    through it too.
    """
    return _weight(probability, target, alpha, gamma, iou_weighted) * cross_entropy(probability, target)


@register
class VarifocalLoss(nn.Layer):
    """Class loss with box qualities in [0, 1] as targets.

    Args:
        use_sigmoid: predictions are logits; else they are probabilities.
        alpha, gamma: weight and exponent of negatives.
        iou_weighted: weight positives by their target.
        reduction: PaddleDetection's key; not used, the caller gives the divisor.
        loss_weight: factor on the result.

    Raises:
        ConfigError: negative alpha or gamma.
    """

    def __init__(
        self,
        use_sigmoid: bool = True,
        alpha: float = ALPHA,
        gamma: float = GAMMA,
        iou_weighted: bool = True,
        reduction: str = "mean",
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        if alpha < 0 or gamma < 0:
            raise ConfigError(f"VarifocalLoss: alpha and gamma are 0 or more; given {alpha} and {gamma}")
        self.use_sigmoid, self.iou_weighted = use_sigmoid, iou_weighted
        self.alpha, self.gamma, self.loss_weight = alpha, gamma, loss_weight

    def elementwise(self, prediction: paddle.Tensor, target: paddle.Tensor) -> paddle.Tensor:
        """Loss of each entry, without `loss_weight`."""
        if not self.use_sigmoid:
            return varifocal(prediction, target, self.alpha, self.gamma, self.iou_weighted)
        weight = _weight(F.sigmoid(prediction), target, self.alpha, self.gamma, self.iou_weighted)
        return weight * F.binary_cross_entropy_with_logits(prediction, target, reduction="none")

    def forward(
        self, prediction: paddle.Tensor, target: paddle.Tensor, divisor: Union[float, paddle.Tensor] = 1.0
    ) -> paddle.Tensor:
        """Sum over all entries / `divisor` x `loss_weight`.

        Args:
            prediction, target: (..., C).
            divisor: usually the sum of the targets or the number of positives.
        """
        return self.elementwise(prediction, target).sum() / divisor * self.loss_weight


def _weight(probability: paddle.Tensor, target: paddle.Tensor, alpha: float, gamma: float, iou_weighted: bool) -> paddle.Tensor:
    difference = probability - target
    negative = alpha * (difference * difference if gamma == 2.0 else difference.abs() ** gamma)
    return paddle.where(target > 0, target if iou_weighted else paddle.ones_like(target), negative)
