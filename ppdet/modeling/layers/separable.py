"""Depthwise + pointwise convolutions under the key names of their networks."""

from __future__ import annotations

from typing import Optional

import paddle
from paddle import nn

from ppdet.modeling.initializer import kaiming_normal_attr, kaiming_uniform_attr
from ppdet.modeling.layers.activation import activation
from ppdet.modeling.layers.conv_norm import ConvBN, batch_norm
from ppdet.modeling.layers.squeeze_excitation import SqueezeExcitation


class SeparableConv(nn.Layer):
    """LCNet's block: depthwise, optional squeeze-and-excitation, pointwise; `act` after each convolution.

    Keys ``dw_conv.*``, ``se.*``, ``pw_conv.*``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        stride: int = 1,
        use_se: bool = False,
        act: str = "hard_swish",
    ) -> None:
        super().__init__()
        self.dw_conv = ConvBN(in_channels, in_channels, kernel, stride, in_channels, act, kaiming_normal_attr())
        self.se = SqueezeExcitation(in_channels) if use_se else None
        self.pw_conv = ConvBN(in_channels, out_channels, 1, act=act, weight_attr=kaiming_normal_attr())

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, in, H, W) -> (B, out, ceil(H / stride), ceil(W / stride))."""
        x = self.dw_conv(x)
        return self.pw_conv(x if self.se is None else self.se(x))


class DepthPointConv(nn.Layer):
    """PicoDet's block: convolution in `out_channels` groups, then pointwise, each with its batch norm.

    Keys ``dwconv.*``, ``bn1.*``, ``pwconv.*``, ``bn2.*``.

    Args:
        act: after each convolution.
        act_out: False omits the last activation.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        stride: int = 1,
        act: Optional[str] = "hard_swish",
        act_out: bool = True,
    ) -> None:
        super().__init__()
        self.dwconv = nn.Conv2D(
            in_channels,
            out_channels,
            kernel,
            stride=stride,
            padding=(kernel - 1) // 2,
            groups=out_channels,
            weight_attr=kaiming_uniform_attr(),
            bias_attr=False,
        )
        self.bn1 = batch_norm(out_channels, decay=None)
        self.pwconv = nn.Conv2D(out_channels, out_channels, 1, weight_attr=kaiming_uniform_attr(), bias_attr=False)
        self.bn2 = batch_norm(out_channels, decay=None)
        self._act = activation(act)
        self._act_out = activation(act if act_out else None)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, in, H, W) -> (B, out, ceil(H / stride), ceil(W / stride))."""
        x = self._act(self.bn1(self.dwconv(x)))
        return self._act_out(self.bn2(self.pwconv(x)))
