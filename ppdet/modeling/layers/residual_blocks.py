"""Residual blocks of Simple Baselines, SimplePose and LPN, under torchvision's names. B batch, C channels."""

from __future__ import annotations

from typing import Optional

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppdet.modeling.initializer import norm_attr, normal_attr
from ppdet.modeling.layers.conv_norm import batch_norm

WEIGHT_STD = 0.001


def plain_conv(in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2D:
    """Convolution without bias, "same" padding at stride 1, weights drawn from N(0, .001) as in the pose papers."""
    return nn.Conv2D(
        in_channels, out_channels, kernel, stride, kernel // 2, groups=groups,
        weight_attr=normal_attr(WEIGHT_STD), bias_attr=False,
    )  # fmt: skip


class ChannelGate(nn.Layer):
    """Squeeze-and-excitation by 1x1 convolutions and a sigmoid (Hu et al., CVPR 2018); keys ``fc.0.*``, ``fc.2.*``."""

    def __init__(self, channels: int, hidden: int, bias: bool) -> None:
        super().__init__()
        bias_attr = None if bias else False
        attr = normal_attr(WEIGHT_STD)
        self.fc = nn.Sequential(
            nn.Conv2D(channels, hidden, 1, weight_attr=attr, bias_attr=bias_attr),
            nn.ReLU(),
            nn.Conv2D(hidden, channels, 1, weight_attr=normal_attr(WEIGHT_STD), bias_attr=bias_attr),
        )

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, C, H, W) -> same shape."""
        return x * F.sigmoid(self.fc(F.adaptive_avg_pool2d(x, 1)))


class GlobalContext(nn.Layer):
    """Global context: adds a softmax-pooled context vector to all pixels (Cao et al., GCNet, ICCVW 2019).

    Keys ``conv_mask.*``, ``channel_add_conv.{0,1,3}.*``; the last convolution starts at zero, the block as identity.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.conv_mask = nn.Conv2D(channels, 1, 1, weight_attr=nn.initializer.KaimingNormal(fan_in=channels))
        zero = norm_attr(0.0, None, trainable=True)
        self.channel_add_conv = nn.Sequential(
            nn.Conv2D(channels, hidden, 1, weight_attr=normal_attr(WEIGHT_STD)),
            nn.LayerNorm([hidden, 1, 1]),
            nn.ReLU(),
            nn.Conv2D(hidden, channels, 1, weight_attr=zero, bias_attr=norm_attr(0.0, None, trainable=True)),
        )

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, C, H, W) -> same shape."""
        share = F.softmax(self.conv_mask(x).flatten(2), axis=-1)  # (B, 1, H W)
        context = paddle.matmul(x.flatten(2), share.transpose([0, 2, 1]))  # (B, C, 1)
        return x + self.channel_add_conv(context.unsqueeze(-1))


class ResidualBlock(nn.Layer):
    """Common base of both blocks: the shortcut, a 1x1 convolution if shapes differ, and the attention before the sum."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.downsample: Optional[nn.Layer] = None
        if stride != 1 or in_channels != out_channels:
            project = plain_conv(in_channels, out_channels, 1, stride)
            self.downsample = nn.Sequential(project, batch_norm(out_channels, decay=None))

    def attend(self, key: str, layer: Optional[nn.Layer]) -> None:
        """Apply `layer` to the residual; the attribute name is the checkpoints' key."""
        self._attention = key if layer is not None else None
        if layer is not None:
            self.add_sublayer(key, layer)

    def residual(self, x: paddle.Tensor) -> paddle.Tensor:
        """The convolutions, without the last activation."""
        raise AssertionError("a subclass says what its residual is")

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, in, H, W) -> (B, out, H / stride, W / stride)."""
        y = self.residual(x)
        if self._attention is not None:
            y = self._sub_layers[self._attention](y)
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class BasicBlock(ResidualBlock):
    """Two 3x3 convolutions.

    Args:
        in_channels, width, stride: the block outputs `width` channels.
        group_size: channels per group of the convolutions; None for one group.
    """

    expansion = 1

    def __init__(self, in_channels: int, width: int, stride: int, group_size: Optional[int] = None) -> None:
        super().__init__(in_channels, width, stride)
        groups = (1, 1) if group_size is None else (in_channels // group_size, width // group_size)
        self.conv1 = plain_conv(in_channels, width, 3, stride, groups[0])
        self.bn1 = batch_norm(width, decay=None)
        self.conv2 = plain_conv(width, width, 3, groups=groups[1])
        self.bn2 = batch_norm(width, decay=None)

    def residual(self, x: paddle.Tensor) -> paddle.Tensor:
        """See `ResidualBlock`."""
        return self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))


class Bottleneck(ResidualBlock):
    """1x1, 3x3, 1x1.

    Args:
        in_channels, width, stride: the block outputs `width * expansion` channels.
        expansion: 4 (He et al., CVPR 2016), 1 for LPN's lightweight block.
        depthwise: the 3x3 convolution is depthwise.
        stride_on_first: the first 1x1 convolution has the stride, as in Caffe's models, instead of the 3x3.
    """

    def __init__(
        self, in_channels: int, width: int, stride: int, expansion: int = 4, depthwise: bool = False,
        stride_on_first: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(in_channels, width * expansion, stride)
        first, second = (stride, 1) if stride_on_first else (1, stride)
        self.conv1 = plain_conv(in_channels, width, 1, first)
        self.bn1 = batch_norm(width, decay=None)
        self.conv2 = plain_conv(width, width, 3, second, groups=width if depthwise else 1)
        self.bn2 = batch_norm(width, decay=None)
        self.conv3 = plain_conv(width, width * expansion, 1)
        self.bn3 = batch_norm(width * expansion, decay=None)

    def residual(self, x: paddle.Tensor) -> paddle.Tensor:
        """See `ResidualBlock`."""
        y = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        return self.bn3(self.conv3(y))
