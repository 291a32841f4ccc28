"""CenterNet's neck for DLA: iterative aggregation with deformable convolutions (Yu et al., CVPR 2018; Zhou et al., 2019).

Legend: B batch, C channels, L levels.
"""

from __future__ import annotations

from typing import List, Optional, Sequence

import numpy as np
import paddle
from paddle import nn
from paddle.nn import initializer

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.initializer import constant_attr, normal_attr
from ppdet.modeling.layers.conv_norm import batch_norm
from ppdet.modeling.layers.deformable_conv import DeformableConv
from ppdet.modeling.shape_spec import ShapeSpec

WEIGHT_STD = 0.01


class _DeformNorm(nn.Layer):
    """Deformable 3x3 convolution, batch norm, ReLU; keys ``conv.*``, ``norm.*``."""

    def __init__(self, given: int, wanted: int) -> None:
        super().__init__()
        self.conv = DeformableConv(given, wanted, bias_attr=constant_attr(0.0), weight_attr=normal_attr(WEIGHT_STD))
        self.norm = batch_norm(wanted, decay=None)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return nn.functional.relu(self.norm(self.conv(x)))


def _upsampling(channels: int, factor: int) -> nn.Conv2DTranspose:
    """Depth-wise transposed convolution that starts as bilinear interpolation."""
    size = 2 * factor
    ramp = 1 - np.abs(np.arange(size) - (size - 1) / 2) / factor
    kernel = np.tile(np.outer(ramp, ramp).astype(np.float32), (channels, 1, 1, 1))
    attr = paddle.ParamAttr(initializer=initializer.Assign(kernel))
    return nn.Conv2DTranspose(
        channels, channels, size, stride=factor, padding=factor // 2, groups=channels, weight_attr=attr, bias_attr=False
    )


class _IdaUp(nn.Layer):
    """Joins levels one after the other into the finest; keys ``proj_{i}.0.*``, ``up_{i}.*``, ``node_{i}.0.*``.

    Args:
        given: channels of the levels, finest first.
        wanted: channels of the result.
        factors: by which each level is enlarged, that of the finest is 1.
    """

    def __init__(self, given: Sequence[int], wanted: int, factors: Sequence[int]) -> None:
        super().__init__()
        self.steps = range(1, len(given))
        for i in self.steps:
            self.add_sublayer(f"proj_{i}", nn.Sequential(_DeformNorm(given[i], wanted)))
            self.add_sublayer(f"up_{i}", _upsampling(wanted, factors[i]))
            self.add_sublayer(f"node_{i}", nn.Sequential(_DeformNorm(wanted, wanted)))

    def forward(self, levels: Sequence[paddle.Tensor]) -> List[paddle.Tensor]:
        """L levels, finest first -> L maps of the finest level's size, the last one has seen all."""
        joined = [levels[0]]
        for i in self.steps:
            enlarged = getattr(self, f"up_{i}")(getattr(self, f"proj_{i}")(levels[i]))
            joined.append(getattr(self, f"node_{i}")(enlarged + joined[-1]))
        return joined


class _DlaUp(nn.Layer):
    """Joins the coarsest two levels, then the coarsest three, and so on; keys ``ida_{i}.*``."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        widths, scales = list(channels), [2**i for i in range(len(channels))]
        self.count = len(channels) - 1
        for i in range(self.count):
            first = self.count - 1 - i
            factors = [scale // scales[first] for scale in scales[first:]]
            self.add_sublayer(f"ida_{i}", _IdaUp(widths[first:], channels[first], factors))
            widths[first + 1 :] = [channels[first]] * (self.count - first)
            scales[first + 1 :] = [scales[first]] * (self.count - first)

    def forward(self, levels: Sequence[paddle.Tensor]) -> List[paddle.Tensor]:
        """Levels, finest first -> as many, each with all that is coarser in it."""
        levels, results = list(levels), [levels[-1]]
        for i in range(self.count):
            first = self.count - 1 - i
            levels[first:] = getattr(self, f"ida_{i}")(levels[first:])
            results.insert(0, levels[-1])
        return results


@register
class CenterNetDLAFPN(nn.Layer):
    """One map of stride `down_ratio` from the levels of a DLA; keys ``dla_up.*``, ``ida_up.*``.

    Args:
        in_channels: of all levels of the backbone, stride 1 first; filled in.
        down_ratio: stride of the result, 2 to 16.
        last_level: the coarsest level that is used has stride 2^last_level.
        out_channel: of the result; 0 for as many as the backbone's level of that stride has.
        first_level: PaddleDetection's key; it is log2(down_ratio).
        dcn_v2: deformable convolutions; only True.
        with_sge: attention of other models; only False.
        input_shape: of the backbone.

    Raises:
        ConfigError: other kinds of layers, or levels that the backbone does not have.
    """

    def __init__(
        self,
        in_channels: Optional[Sequence[int]] = None,
        down_ratio: int = 4,
        last_level: int = 5,
        out_channel: int = 0,
        first_level: Optional[int] = None,
        dcn_v2: bool = True,
        with_sge: bool = False,
        input_shape: Optional[Sequence[ShapeSpec]] = None,
    ) -> None:
        super().__init__()
        channels = list(in_channels or [shape.channels for shape in input_shape or ()])
        if not dcn_v2 or with_sge:
            raise ConfigError("CenterNetDLAFPN: only dcn_v2: true without with_sge is here; remove the keys")
        if down_ratio not in (2, 4, 8, 16) or first_level not in (None, down_ratio.bit_length() - 1):
            raise ConfigError("CenterNetDLAFPN: down_ratio is 2, 4, 8 or 16 and first_level its logarithm, which can be left "
                              f"out; given {down_ratio} and {first_level}")  # fmt: skip
        self.first_level, self.last_level = down_ratio.bit_length() - 1, last_level
        if not self.first_level < last_level < len(channels):
            raise ConfigError(f"CenterNetDLAFPN: last_level is above {self.first_level} and below {len(channels)}, the number of "
                              f"the backbone's levels; given {last_level}")  # fmt: skip
        used = channels[self.first_level :]
        width = out_channel or used[0]
        self.dla_up = _DlaUp(used)
        count = last_level - self.first_level
        self.ida_up = _IdaUp(used[:count], width, [2**i for i in range(count)])
        self.out_shape = [ShapeSpec(width, down_ratio)]

    def forward(self, levels: Sequence[paddle.Tensor]) -> paddle.Tensor:
        """Levels of the backbone, stride 1 first -> (B, C, H / down_ratio, W / down_ratio)."""
        joined = self.dla_up(levels[self.first_level :])
        return self.ida_up(joined[: self.last_level - self.first_level])[-1]
