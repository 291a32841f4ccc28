"""PicoDet's second neck: path aggregation with LCNet's separable blocks (PaddleDetection 2.4)."""

from __future__ import annotations

from paddle import nn

from ppdet.core.config.registry import register
from ppdet.modeling.layers.separable import SeparableConv
from ppdet.modeling.necks.pan import PathAggregation


@register
class LCPAN(PathAggregation):
    """Path aggregation where two separable convolutions digest each pair of maps; arguments as at `PathAggregation`."""

    def mixer(self, in_channels: int, out_channels: int) -> nn.Layer:
        """Two separable convolutions, the second to the wanted width."""
        first = SeparableConv(in_channels, in_channels, self.kernel_size)
        return nn.Sequential(first, SeparableConv(in_channels, out_channels, self.kernel_size))
