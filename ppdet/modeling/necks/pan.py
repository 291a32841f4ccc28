"""Base of CSPPAN and LCPAN: a top-down path, a bottom-up path, and a fourth, coarser level."""

from __future__ import annotations

from typing import List, Optional, Sequence

import paddle
from paddle import nn

from ppdet.core.errors import ConfigError
from ppdet.modeling.layers.conv_norm import NeckConvBN
from ppdet.modeling.layers.separable import DepthPointConv
from ppdet.modeling.layers.upsample import upsample_nearest
from ppdet.modeling.shape_spec import ShapeSpec


class _EqualWidth(nn.Layer):
    """A 1x1 convolution for each level; keys ``convs.{i}.*``."""

    def __init__(self, in_channels: Sequence[int], out_channels: int, act: str) -> None:
        super().__init__()
        self.convs = nn.LayerList([NeckConvBN(c, out_channels, 1, act=act) for c in in_channels])

    def forward(self, xs: Sequence[paddle.Tensor]) -> List[paddle.Tensor]:
        return [conv(x) for conv, x in zip(self.convs, xs)]


class PathAggregation(nn.Layer):
    """Path aggregation (Liu et al., CVPR 2018) with the same number of channels on all levels. Subclasses define `mixer`.

    Args:
        in_channels: channels of the input levels, finest first.
        out_channels: channels of every output level.
        kernel_size: of the depthwise convolutions.
        num_features: number of output levels: that of the input levels, or one more.
        use_depthwise: separable instead of plain convolutions for downsampling.
        act: activation.
        spatial_scales: 1 / stride of the input levels.
        input_shape: the input levels, set by the detector; overrides in_channels and spatial_scales.

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
        super().__init__()
        self.kernel_size, self.use_depthwise, self.act = kernel_size, use_depthwise, act
        if input_shape is not None:
            in_channels = [shape.channels for shape in input_shape]
            spatial_scales = [1.0 / shape.stride for shape in input_shape]
        levels = len(in_channels)
        if num_features not in (levels, levels + 1):
            raise ConfigError(
                f"{type(self).__name__}: num_features {num_features} is not possible with {levels} incoming levels; "
                f"give {levels} or {levels + 1}"
            )
        conv = DepthPointConv if use_depthwise else NeckConvBN
        self.conv_t = _EqualWidth(in_channels, out_channels, act)
        self._extra_level = num_features > levels
        if self._extra_level:
            self.first_top_conv = conv(out_channels, out_channels, kernel_size, stride=2, act=act)
            self.second_top_conv = conv(out_channels, out_channels, kernel_size, stride=2, act=act)
        steps = range(levels - 1)
        self.top_down_blocks = nn.LayerList([self.mixer(out_channels * 2, out_channels) for _ in steps])
        self.downsamples = nn.LayerList([conv(out_channels, out_channels, kernel_size, stride=2, act=act) for _ in steps])
        self.bottom_up_blocks = nn.LayerList([self.mixer(out_channels * 2, out_channels) for _ in steps])
        strides = [round(1 / scale) for scale in spatial_scales]
        strides += [strides[-1] * 2] * self._extra_level
        self.out_shape = [ShapeSpec(out_channels, stride) for stride in strides]

    def mixer(self, in_channels: int, out_channels: int) -> nn.Layer:
        """A new layer that merges two concatenated maps."""
        raise TypeError(f"{type(self).__name__} must define mixer")

    def forward(self, features: Sequence[paddle.Tensor]) -> List[paddle.Tensor]:
        """One map per level, each half the size of the previous -> the same levels (and one more), with `out_channels` each."""
        inputs = self.conv_t(features)
        down = [inputs[-1]]
        for mix, finer in zip(self.top_down_blocks, inputs[-2::-1]):
            down.insert(0, mix(paddle.concat([upsample_nearest(down[0], 2), finer], axis=1)))
        outputs = [down[0]]
        for shrink, mix, coarser in zip(self.downsamples, self.bottom_up_blocks, down[1:]):
            outputs.append(mix(paddle.concat([shrink(outputs[-1]), coarser], axis=1)))
        if self._extra_level:
            outputs.append(self.first_top_conv(inputs[-1]) + self.second_top_conv(outputs[-1]))
        return outputs
