"""`ConvNorm` under the names of LCNet and PicoDet's necks."""

from __future__ import annotations

from typing import Optional

from ppdet.modeling.layers.conv_norm import ConvNorm


class ConvBN(ConvNorm):
    """`ConvNorm` with keys ``conv.*`` and ``bn.*``."""

    norm_key = "bn"


class NeckConvBN(ConvBN):
    """`ConvBN` with weight decay on the norm, as in the published necks."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 1, stride: int = 1, act: Optional[str] = None) -> None:
        super().__init__(in_channels, out_channels, kernel, stride, act=act, norm_decay=None)
