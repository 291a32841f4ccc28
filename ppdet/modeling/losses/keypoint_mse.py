"""Squared errors of heatmaps: their mean, and that of the hardest keypoints. B batch, K keypoints, h w heatmap cells."""

from __future__ import annotations

from typing import Dict

import paddle
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError


@register
class KeyPointMSELoss(nn.Layer):
    """scale / K * sum over keypoints of the mean over batch and cells of (weight * (predicted - target))^2.

    Sun et al., CVPR 2019, official code; the weight is squared as there.

    Args:
        use_target_weight: weight keypoints by `target_weight`.
        loss_scale: factor on the loss; .5 is the official one, LiteHRNet and TinyPose use 1.
    """

    def __init__(self, use_target_weight: bool = True, loss_scale: float = 0.5) -> None:
        super().__init__()
        self.use_target_weight = use_target_weight
        self.loss_scale = loss_scale

    def forward(self, outputs: Dict[str, paddle.Tensor], batch: Dict[str, paddle.Tensor]) -> Dict[str, paddle.Tensor]:
        """outputs["heatmap"] and batch["target"] (B, K, h, w), batch["target_weight"] (B, K) -> {"loss": scalar}."""
        return {"loss": self.loss_scale * keypoint_errors(outputs, batch, self.use_target_weight).mean()}


def keypoint_errors(outputs: Dict[str, paddle.Tensor], batch: Dict[str, paddle.Tensor], use_target_weight: bool) -> paddle.Tensor:
    """Mean over cells of (weight * (predicted - target))^2.

    Args:
        outputs: "heatmap" (B, K, h, w).
        batch: "target" (B, K, h, w); "target_weight" (B, K) or (B, K, 1) if used.
        use_target_weight: False gives all keypoints weight 1.

    Returns:
        (B, K).

    Raises:
        ConfigError: prediction and target differ in shape.
    """
    predicted, target = outputs["heatmap"], batch["target"]
    if list(predicted.shape) != list(target.shape):
        raise ConfigError(
            f"the model's heatmaps are {list(predicted.shape)} (batch, keypoints, height, width) and the targets "
            f"{list(target.shape)}; check num_joints, and that the codec's heatmap_wh (hmsize) is input_wh / 4"
        )
    errors = ((predicted - target) ** 2).mean(axis=[2, 3])
    if not use_target_weight:
        return errors
    weight = batch["target_weight"].reshape(errors.shape)
    return errors * weight * weight


@register
class KeyPointOHKMMSELoss(nn.Layer):
    """Mean over persons of the mean error of their `topk` worst keypoints (Chen et al., CVPR 2018, sec. 3.3).

    Args:
        use_target_weight: weight keypoints by `target_weight`.
        topk: number of keypoints per person, at most all.
        loss_scale: factor on the loss.

    Raises:
        ConfigError: topk below 1.
    """

    def __init__(self, use_target_weight: bool = True, topk: int = 8, loss_scale: float = 0.5) -> None:
        super().__init__()
        if topk < 1:
            raise ConfigError(f"KeyPointOHKMMSELoss: topk is {topk}, expected 1 or more")
        self.use_target_weight = use_target_weight
        self.topk = topk
        self.loss_scale = loss_scale

    def forward(self, outputs: Dict[str, paddle.Tensor], batch: Dict[str, paddle.Tensor]) -> Dict[str, paddle.Tensor]:
        """outputs["heatmap"] and batch["target"] (B, K, h, w), batch["target_weight"] (B, K) -> {"loss": scalar}."""
        errors = keypoint_errors(outputs, batch, self.use_target_weight)
        hardest, _ = paddle.topk(errors, k=min(self.topk, errors.shape[1]), axis=1)
        return {"loss": self.loss_scale * hardest.mean()}
