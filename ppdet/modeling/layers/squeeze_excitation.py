"""Squeeze-and-excitation (Hu et al., CVPR 2018) of LCNet and ESNet."""

from __future__ import annotations

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppdet.modeling.initializer import kaiming_normal_attr


class SqueezeExcitation(nn.Layer):
    """Scale each channel by a gate computed from its mean; keys ``conv1.*`` and ``conv2.*``.

    Args:
        channels: of input and output.
        reduction: the hidden layer has channels // reduction.
    """

    def __init__(self, channels: int, reduction: int = 4) -> None:
        super().__init__()
        hidden = channels // reduction
        self.conv1 = nn.Conv2D(channels, hidden, 1, weight_attr=kaiming_normal_attr())
        self.conv2 = nn.Conv2D(hidden, channels, 1, weight_attr=kaiming_normal_attr())

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, C, H, W) -> same shape."""
        gate = F.relu(self.conv1(F.adaptive_avg_pool2d(x, 1)))
        return x * F.hardsigmoid(self.conv2(gate))
