"""Features to heatmaps by convolutions and pixel shuffles, SimplePose's DUC (Shi et al., CVPR 2016; Wang et al., WACV 2018)."""

from __future__ import annotations

from typing import Optional, Sequence

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.modeling.initializer import constant_attr, normal_attr
from ppdet.modeling.layers.conv_norm import batch_norm
from ppdet.modeling.layers.residual_blocks import plain_conv
from ppdet.modeling.shape_spec import ShapeSpec, input_channels


class _ShuffleUp(nn.Layer):
    """3x3 convolution, norm, ReLU, pixel shuffle by 2: C -> 2 C -> C / 2 channels; keys ``conv.*``, ``bn.*``."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = plain_conv(channels, channels * 2, 3)
        self.bn = batch_norm(channels * 2, decay=None)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return F.pixel_shuffle(F.relu(self.bn(self.conv(x))), 2)


@register
class PixelShuffleHead(nn.Layer):
    """A pixel shuffle, two convolutions with a pixel shuffle each, and a 3x3 convolution: eight times the resolution.

    Keys ``duc_layers.{1,2}.*`` and ``final_layer.*``.

    Args:
        in_channels: of the feature map; None takes the first of `input_shape`.
        num_joints: shared.
        input_shape: of the backbone; set by the architecture.

    Raises:
        ConfigError: contradicting channels.
    """

    __shared__ = ["num_joints"]
    scale = 8

    def __init__(
        self, in_channels: Optional[int] = None, num_joints: int = 17, input_shape: Optional[Sequence[ShapeSpec]] = None
    ) -> None:
        super().__init__()
        self.in_channels = input_channels("PixelShuffleHead", in_channels, input_shape)
        self.num_joints = num_joints
        channels = self.in_channels // 4
        self.duc_layers = nn.Sequential(nn.PixelShuffle(2), _ShuffleUp(channels), _ShuffleUp(channels // 2))
        self.final_layer = nn.Conv2D(
            channels // 4, num_joints, 3, padding=1, weight_attr=normal_attr(0.001), bias_attr=constant_attr(0.0)
        )

    def forward(self, features: paddle.Tensor) -> paddle.Tensor:
        """(B, in_channels, H, W) -> (B, K, 8 H, 8 W)."""
        return self.final_layer(self.duc_layers(features))
