"""PicoDet's second neck: path aggregation with LCNet's separable blocks (PaddleDetection 2.4)."""

from __future__ import annotations

from typing import Optional, Sequence

from paddle import nn

from ppdet.core.registry import register
from ppdet.modeling.layers.separable import SeparableConv
from ppdet.modeling.necks.pan import PathAggregation
from ppdet.modeling.shape_spec import ShapeSpec


@register
class LCPAN(PathAggregation):
    """Path aggregation where two separable convolutions digest each pair of maps.

    Args:
        in_channels: of the incoming levels, finest first.
        out_channels: of every outgoing level.
        kernel_size: of the depthwise convolutions.
        num_features: outgoing levels: as many as incoming, or one coarser more.
        use_depthwise: separable instead of plain convolutions for downsampling.
        act: activation.
        spatial_scales: 1 / stride of the incoming levels.
        input_shape: the incoming levels, as a detector gives them; wins over in_channels and spatial_scales.

    Raises:
        ConfigError: num_features does not fit.
    """

    def __init__(
        self,
        in_channels: Sequence[int] = (96, 192, 384),
        out_channels: int = 96,
        kernel_size: int = 5,
        num_features: int = 3,
        use_depthwise: bool = True,
        act: str = "hard_swish",
        spatial_scales: Sequence[float] = (0.125, 0.0625, 0.03125),
        input_shape: Optional[Sequence[ShapeSpec]] = None,
    ) -> None:
        def mix(given: int, wanted: int) -> nn.Layer:
            return nn.Sequential(SeparableConv(given, given, kernel_size), SeparableConv(given, wanted, kernel_size))

        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            num_features,
            spatial_scales,
            input_shape,
            act,
            mix,
            use_depthwise,
        )
