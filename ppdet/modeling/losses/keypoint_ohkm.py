"""Online hard keypoint mining. B batch, K keypoints, h w heatmap cells."""

from __future__ import annotations

from typing import Dict

import paddle
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.losses.keypoint_errors import keypoint_errors


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
