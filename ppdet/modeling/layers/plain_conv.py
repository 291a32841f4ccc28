"""A convolution with bias under PaddleDetection's key ``conv.*``."""

from __future__ import annotations

from typing import Optional

import paddle
from paddle import ParamAttr, nn

from ppdet.modeling.initializer import fan_in_uniform_attr


class PlainConv(nn.Layer):
    """Convolution with bias, "same" padding; key ``conv.*``.

    Args:
        given, wanted: channels.
        kernel: size.
        bias_attr: initial bias; None draws it like the weights, U(-1/sqrt(n), 1/sqrt(n)) with n inputs per output.
    """

    def __init__(self, given: int, wanted: int, kernel: int, bias_attr: Optional[ParamAttr] = None) -> None:
        super().__init__()
        inputs = given * kernel * kernel
        self.conv = nn.Conv2D(
            given, wanted, kernel, padding=kernel // 2,
            weight_attr=fan_in_uniform_attr(inputs), bias_attr=bias_attr or fan_in_uniform_attr(inputs),
        )  # fmt: skip

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, given, H, W) -> (B, wanted, H, W)."""
        return self.conv(x)


def prediction_branch(given: int, hidden: int, wanted: int, bias_attr: Optional[ParamAttr] = None) -> nn.Sequential:
    """3x3 convolution, ReLU, 1x1 convolution; keys ``0.conv.*``, ``2.conv.*``."""
    return nn.Sequential(PlainConv(given, hidden, 3), nn.ReLU(), PlainConv(hidden, wanted, 1, bias_attr))
