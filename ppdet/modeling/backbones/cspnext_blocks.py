"""Blocks of CSPNeXt (Lyu et al., RTMDet, arXiv:2212.07784, sec. 3.2); attribute names are MMDetection's and MMPose's keys.

Legend: B batch, C channels, H W cells.
"""

from __future__ import annotations

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppdet.modeling.initializer import fan_in_uniform_attr
from ppdet.modeling.layers.conv_norm import ConvBN

ACT = "silu"
DEPTHWISE_KERNEL = 5
POOL = 5


def conv_bn_silu(in_channels: int, out_channels: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> ConvBN:
    """Convolution, batch norm, SiLU; initial weights as PyTorch's default."""
    init = fan_in_uniform_attr(in_channels * kernel**2 // groups)
    return ConvBN(in_channels, out_channels, kernel, stride, groups, ACT, init)


class DepthwiseSeparable(nn.Layer):
    """A 5x5 convolution per channel, then a 1x1 convolution; keys ``depthwise_conv.*``, ``pointwise_conv.*``."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise_conv = conv_bn_silu(channels, channels, DEPTHWISE_KERNEL, groups=channels)
        self.pointwise_conv = conv_bn_silu(channels, channels)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """Same shape."""
        return self.pointwise_conv(self.depthwise_conv(x))


class CSPNeXtBlock(nn.Layer):
    """A 3x3 and a depthwise separable 5x5 convolution, plus the input if `identity`; keys ``conv1.*``, ``conv2.*``."""

    def __init__(self, channels: int, identity: bool) -> None:
        super().__init__()
        self.conv1 = conv_bn_silu(channels, channels, 3)
        self.conv2 = DepthwiseSeparable(channels)
        self._identity = identity

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """Same shape."""
        y = self.conv2(self.conv1(x))
        return x + y if self._identity else y


class ChannelAttention(nn.Layer):
    """Each channel times a gate that sees the mean of all; key ``fc.*``."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        init = fan_in_uniform_attr(channels)
        self.fc = nn.Conv2D(channels, channels, 1, weight_attr=init, bias_attr=fan_in_uniform_attr(channels))

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """Same shape."""
        return x * F.hardsigmoid(self.fc(F.adaptive_avg_pool2d(x, 1)))


class CSPLayer(nn.Layer):
    """Half of the channels through the blocks, half past them, then attention over both (Wang et al., CSPNet, CVPRW 2020).

    Keys ``main_conv.*``, ``short_conv.*``, ``final_conv.*``, ``blocks.*``, ``attention.*``.
    """

    def __init__(self, channels: int, blocks: int, identity: bool) -> None:
        super().__init__()
        half = channels // 2
        self.main_conv = conv_bn_silu(channels, half)
        self.short_conv = conv_bn_silu(channels, half)
        self.final_conv = conv_bn_silu(2 * half, channels)
        self.blocks = nn.Sequential(*[CSPNeXtBlock(half, identity) for _ in range(blocks)])
        self.attention = ChannelAttention(2 * half)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, C, H, W) -> the same."""
        both = paddle.concat([self.blocks(self.main_conv(x)), self.short_conv(x)], axis=1)
        return self.final_conv(self.attention(both))


class SPPBottleneck(nn.Layer):
    """Largest values of 5x5, 9x9 and 13x13 cells beside the map itself (He et al., ECCV 2014); keys ``conv1.*``, ``conv2.*``."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = conv_bn_silu(channels, channels // 2)
        self.conv2 = conv_bn_silu(channels // 2 * 4, channels)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """Same shape. The 9x9 maximum is the 5x5 maximum of 5x5 maxima, and so on."""
        maps = [self.conv1(x)]
        for _ in range(3):
            maps.append(F.max_pool2d(maps[-1], POOL, stride=1, padding=POOL // 2))
        return self.conv2(paddle.concat(maps, axis=1))
