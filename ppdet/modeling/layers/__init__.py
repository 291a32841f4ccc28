"""Building blocks shared by several networks."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "BasicBlock": "residual_blocks",
        "Bottleneck": "residual_blocks",
        "ChannelGate": "residual_blocks",
        "ConvBN": "conv_norm",
        "ConvNorm": "conv_norm",
        "DeformableConv": "deformable_conv",
        "DepthPointConv": "separable",
        "GatedAttentionUnit": "gated_attention",
        "GlobalContext": "residual_blocks",
        "ResidualBlock": "residual_blocks",
        "ScaleNorm": "gated_attention",
        "SeparableConv": "separable",
        "SqueezeExcitation": "squeeze_excitation",
    },
)
