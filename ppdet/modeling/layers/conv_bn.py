"""`ConvNorm` under the names of LCNet and PicoDet's necks."""

from __future__ import annotations

from ppdet.modeling.layers.conv_norm import ConvNorm


class ConvBN(ConvNorm):
    """`ConvNorm` with keys ``conv.*`` and ``bn.*``."""

    norm_key = "bn"
