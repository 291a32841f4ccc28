"""Mean squared error of heatmaps with weights per keypoint. B batch, K keypoints, h w heatmap cells."""

from __future__ import annotations

from typing import Dict

import paddle
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.modeling.losses.keypoint_errors import keypoint_errors


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
