"""Bottom-up heatmap loss: squared error outside the ignored regions. B batch, K keypoints, h w heatmap cells."""

from __future__ import annotations

import paddle
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError

CLIP = 2.0


@register
class HeatMapLoss(nn.Layer):
    """Mean over batch, keypoints and cells of mask * (predicted - target)^2 (Cheng et al., CVPR 2020, sec. 3.3).

    Args:
        loss_factor: factor on the loss.
        paddledet_exact: shared; the error of a cell is clipped at 2.
    """

    __shared__ = ["paddledet_exact"]

    def __init__(self, loss_factor: float = 1.0, paddledet_exact: bool = False) -> None:
        super().__init__()
        self.loss_factor = loss_factor
        self.paddledet_exact = paddledet_exact

    def forward(self, predicted: paddle.Tensor, target: paddle.Tensor, mask: paddle.Tensor) -> paddle.Tensor:
        """(B, K, h, w), (B, K, h, w) and (B, h, w), 1 where people are labelled, else 0 -> scalar.

        Raises:
            ConfigError: the shapes do not fit.
        """
        require_same_size(predicted, target)
        errors = (predicted - target) ** 2 * mask.unsqueeze(1)
        if self.paddledet_exact:
            errors = errors.clip(0.0, CLIP)
        return self.loss_factor * errors.mean()


def require_same_size(predicted: paddle.Tensor, target: paddle.Tensor) -> None:
    """Check that target and network maps agree in size and number of keypoints.

    Raises:
        ConfigError: they differ; with both shapes.
    """
    if list(predicted.shape) != list(target.shape):
        raise ConfigError(
            f"the model's heatmaps are {list(predicted.shape)} (batch, keypoints, height, width) and the targets "
            f"{list(target.shape)}; check num_joints, and that the codec's strides are (4, 2)"
        )
