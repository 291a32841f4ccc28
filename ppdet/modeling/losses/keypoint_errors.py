"""Squared heatmap error per keypoint and person. B batch, K keypoints, h w heatmap cells."""

from __future__ import annotations

from typing import Dict

import paddle

from ppdet.core.errors import ConfigError


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
