"""The brick under the names LCNet and PicoDet's necks use."""

from __future__ import annotations

from ppdet.modeling.layers.conv_norm import ConvNorm


class ConvBN(ConvNorm):
    """`ConvNorm` with keys ``conv.*`` and ``bn.*``."""

    norm_key = "bn"
