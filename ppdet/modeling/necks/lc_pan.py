"""PicoDet's second neck: path aggregation with LCNet's separable blocks (PaddleDetection 2.4)."""

from __future__ import annotations

from paddle import nn

from ppdet.core.config.registry import register
from ppdet.modeling.layers.separable import SeparableConv
from ppdet.modeling.necks.pan import PathAggregation


@register
class LCPAN(PathAggregation):
    """Path aggregation that merges each pair of maps by two separable convolutions; arguments as for `PathAggregation`."""

    def mixer(self, in_channels: int, out_channels: int) -> nn.Layer:
        """Two separable convolutions; the second one outputs `out_channels`."""
        first = SeparableConv(in_channels, in_channels, self.kernel_size)
        return nn.Sequential(first, SeparableConv(in_channels, out_channels, self.kernel_size))
