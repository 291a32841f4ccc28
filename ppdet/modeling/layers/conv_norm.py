"""Convolution, batch norm, activation: the building block of all networks here.

Attribute names are checkpoint keys and differ between the published models, so there is one class with two subclasses.
"""

from __future__ import annotations

from typing import Optional

import paddle
from paddle import ParamAttr, nn

from ppdet.core.errors import ConfigError
from ppdet.modeling.initializer import kaiming_uniform_attr, norm_attr
from ppdet.modeling.layers.activation import activation

BATCH_NORMS = ("bn", "sync_bn")


def batch_norm(channels: int, decay: Optional[float] = 0.0, frozen: bool = False, momentum: float = 0.9) -> nn.BatchNorm2D:
    """Batch norm, eps 1e-5.

    Args:
        channels: number of channels.
        decay: weight decay of scale and shift; None uses the optimizer's.
        frozen: keep scale, shift and running statistics as loaded, also in training.
        momentum: fraction of the old running statistics to keep per step.
    """
    return nn.BatchNorm2D(
        channels,
        momentum=momentum,
        weight_attr=norm_attr(1.0, decay, trainable=not frozen),
        bias_attr=norm_attr(0.0, decay, trainable=not frozen),
        use_global_stats=True if frozen else None,
    )


def check_norm_type(norm_type: str, owner: str) -> None:
    """Accept "bn" and "sync_bn" (the same layer here; the trainer synchronises it across devices).

    Raises:
        ConfigError: another name.
    """
    if norm_type not in BATCH_NORMS:
        raise ConfigError(f"{owner}: norm_type {norm_type!r} is not supported; use 'bn' or 'sync_bn'")


class ConvNorm(nn.Layer):
    """Conv without bias, batch norm, activation; keys ``conv.*`` and ``norm.*``.

    Args:
        in_channels, out_channels, kernel, stride, groups: of the convolution; "same" padding at stride 1.
        act: name of the activation, None for none.
        weight_attr: initial weights; default: He uniform.
        norm_decay, freeze_norm, norm_momentum: see `batch_norm`.
    """

    conv_key = "conv"
    norm_key = "norm"
    initial_weight = staticmethod(kaiming_uniform_attr)

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        act: Optional[str] = None,
        weight_attr: Optional[ParamAttr] = None,
        norm_decay: Optional[float] = 0.0,
        freeze_norm: bool = False,
        norm_momentum: float = 0.9,
    ) -> None:
        super().__init__()
        conv = nn.Conv2D(
            in_channels,
            out_channels,
            kernel,
            stride=stride,
            padding=(kernel - 1) // 2,
            groups=groups,
            weight_attr=weight_attr or self.initial_weight(),
            bias_attr=False,
        )
        norm = batch_norm(out_channels, norm_decay, freeze_norm, norm_momentum)
        self.add_sublayer(self.conv_key, conv)
        self.add_sublayer(self.norm_key, norm)
        self._act = activation(act)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, in, H, W) -> (B, out, ceil(H / stride), ceil(W / stride))."""
        sublayers = self._sub_layers
        return self._act(sublayers[self.norm_key](sublayers[self.conv_key](x)))


class ConvBN(ConvNorm):
    """`ConvNorm` with keys ``conv.*`` and ``bn.*``."""

    norm_key = "bn"


class NeckConvBN(ConvBN):
    """`ConvBN` with weight decay on the norm, as in the published necks."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 1, stride: int = 1, act: Optional[str] = None) -> None:
        super().__init__(in_channels, out_channels, kernel, stride, act=act, norm_decay=None)
