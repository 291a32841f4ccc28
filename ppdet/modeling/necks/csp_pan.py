"""PicoDet's first neck: path aggregation with cross-stage-partial blocks (Yu et al., arXiv:2111.00902)."""

from __future__ import annotations

from typing import Optional, Sequence

import paddle
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.modeling.layers.conv_norm import NeckConvBN
from ppdet.modeling.layers.separable import DepthPointConv
from ppdet.modeling.necks.pan import PathAggregation
from ppdet.modeling.shape_spec import ShapeSpec


class _Bottleneck(nn.Layer):
    """1x1 then k x k; keys ``conv1.*``, ``conv2.*``."""

    def __init__(self, channels: int, kernel: int, use_depthwise: bool, act: str) -> None:
        super().__init__()
        conv = DepthPointConv if use_depthwise else NeckConvBN
        self.conv1 = NeckConvBN(channels, channels, 1, act=act)
        self.conv2 = conv(channels, channels, kernel, act=act)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.conv2(self.conv1(x))


class _CrossStagePartial(nn.Layer):
    """Half of the output width through bottlenecks, half straight, joined by a 1x1 (Wang et al., CVPRW 2020)."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, blocks: int, use_depthwise: bool, act: str) -> None:
        super().__init__()
        half = out_channels // 2
        self.main_conv = NeckConvBN(in_channels, half, 1, act=act)
        self.short_conv = NeckConvBN(in_channels, half, 1, act=act)
        self.final_conv = NeckConvBN(2 * half, out_channels, 1, act=act)
        self.blocks = nn.Sequential(*(_Bottleneck(half, kernel, use_depthwise, act) for _ in range(blocks)))

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.final_conv(paddle.concat([self.blocks(self.main_conv(x)), self.short_conv(x)], axis=1))


@register
class CSPPAN(PathAggregation):
    """Path aggregation with cross-stage-partial blocks.

    Args:
        num_csp_blocks: bottlenecks in each block.

    The others are described at `PathAggregation`.
    """

    def __init__(
        self,
        in_channels: Sequence[int] = (96, 192, 384),
        out_channels: int = 96,
        kernel_size: int = 5,
        num_features: int = 3,
        num_csp_blocks: int = 1,
        use_depthwise: bool = True,
        act: str = "hard_swish",
        spatial_scales: Sequence[float] = (0.125, 0.0625, 0.03125),
        input_shape: Optional[Sequence[ShapeSpec]] = None,
    ) -> None:
        self._blocks = num_csp_blocks
        super().__init__(
            in_channels, out_channels, kernel_size, num_features, use_depthwise, act, spatial_scales, input_shape
        )

    def mixer(self, in_channels: int, out_channels: int) -> nn.Layer:
        """One cross-stage-partial block."""
        return _CrossStagePartial(in_channels, out_channels, self.kernel_size, self._blocks, self.use_depthwise, self.act)
