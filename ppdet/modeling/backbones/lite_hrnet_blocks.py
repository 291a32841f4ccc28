"""Blocks of LiteHRNet (Yu et al., CVPR 2021): stem, shuffle units, weighting units, fusion, iterative head.

Sublayer names are checkpoint keys of the published models.
"""

from __future__ import annotations

from typing import Any, Callable, List, Optional, Sequence, Tuple

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppdet.modeling.initializer import normal_attr
from ppdet.modeling.layers.channel_shuffle import join_shuffled, split_halves
from ppdet.modeling.layers.conv_norm import ConvNorm, batch_norm
from ppdet.modeling.layers.upsample import resize_aligned, upsample_nearest

WEIGHT_STD = 0.001
ConvFactory = Callable[..., ConvNorm]


def conv_factory(**norm_options: Any) -> ConvFactory:
    """A `ConvNorm` constructor with LiteHRNet's initial weights, N(0, .001), and the given norm options."""

    def make(in_channels: int, out_channels: int, kernel: int, **options: Any) -> ConvNorm:
        attr = normal_attr(WEIGHT_STD)
        return ConvNorm(in_channels, out_channels, kernel, weight_attr=attr, **norm_options, **options)

    return make


def pointwise(in_channels: int, out_channels: int) -> List[nn.Layer]:
    """1x1 convolution and batch norm."""
    conv = nn.Conv2D(in_channels, out_channels, 1, weight_attr=normal_attr(WEIGHT_STD), bias_attr=False)
    return [conv, batch_norm(out_channels, decay=None)]


def separable(in_channels: int, out_channels: int, stride: int, relu: bool) -> nn.Sequential:
    """Depthwise 3x3, norm, pointwise, norm and, if `relu`, ReLU; keys ``0`` to ``3``."""
    depthwise = nn.Conv2D(
        in_channels,
        in_channels,
        3,
        stride=stride,
        padding=1,
        groups=in_channels,
        weight_attr=normal_attr(WEIGHT_STD),
        bias_attr=False,
    )
    layers = [depthwise, batch_norm(in_channels, decay=None), *pointwise(in_channels, out_channels)]
    return nn.Sequential(*layers, *([nn.ReLU()] if relu else []))


class Stem(nn.Layer):
    """Image to 32 channels at a quarter of its size; half of the channels take a short branch, half an expanding one."""

    def __init__(self, conv: ConvFactory) -> None:
        super().__init__()
        self.conv1 = conv(3, 32, 3, stride=2, act="relu")
        self.branch1 = nn.Sequential(conv(16, 16, 3, stride=2, groups=16), conv(16, 16, 1, act="relu"))
        self.expand_conv = conv(16, 32, 1, act="relu")
        self.depthwise_conv = conv(32, 32, 3, stride=2, groups=32)
        self.linear_conv = conv(32, 16, 1, act="relu")

    def forward(self, images: paddle.Tensor) -> paddle.Tensor:
        first, second = split_halves(self.conv1(images))
        second = self.linear_conv(self.depthwise_conv(self.expand_conv(second)))
        return join_shuffled(self.branch1(first), second)


class ShuffleUnit(nn.Layer):
    """The unit of naive and wider naive LiteHRNet: half of the channels through 1x1, depthwise 3x3, 1x1."""

    def __init__(self, conv: ConvFactory, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.branch2 = nn.Sequential(
            conv(half, half, 1, act="relu"), conv(half, half, 3, groups=half), conv(half, half, 1, act="relu")
        )

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        kept, changed = split_halves(x)
        return join_shuffled(kept, self.branch2(changed))


class ParallelShuffleUnits(nn.Layer):
    """Two shuffle units per resolution; keys ``{branch}.{unit}.*``."""

    def __init__(self, conv: ConvFactory, channels: Sequence[int]) -> None:
        super().__init__()
        for b, width in enumerate(channels):
            self.add_sublayer(str(b), nn.Sequential(ShuffleUnit(conv, width), ShuffleUnit(conv, width)))

    def forward(self, xs: List[paddle.Tensor]) -> List[paddle.Tensor]:
        return [units(x) for units, x in zip(self.children(), xs)]


class CrossResolutionWeighting(nn.Layer):
    """Gates per channel and cell, computed from all resolutions at the size of the coarsest."""

    def __init__(self, conv: ConvFactory, channels: Sequence[int], reduction: int) -> None:
        super().__init__()
        self._channels = list(channels)
        total = sum(channels)
        self.conv1 = conv(total, total // reduction, 1, act="relu")
        self.conv2 = conv(total // reduction, total, 1, act="sigmoid")

    def forward(self, xs: List[paddle.Tensor]) -> List[paddle.Tensor]:
        size = xs[-1].shape[2:]
        pooled = paddle.concat([*(F.adaptive_avg_pool2d(x, size) for x in xs[:-1]), xs[-1]], axis=1)
        gates = paddle.split(self.conv2(self.conv1(pooled)), self._channels, axis=1)
        return [x * _enlarge(gate, x) for x, gate in zip(xs, gates)]


def _enlarge(gate: paddle.Tensor, like: paddle.Tensor) -> paddle.Tensor:
    """Nearest-neighbour upsampling of `gate` to the size of `like`."""
    (height, width), (wanted_height, wanted_width) = gate.shape[2:], like.shape[2:]
    factor = wanted_height // height
    if (height * factor, width * factor) == (wanted_height, wanted_width):
        return upsample_nearest(gate, factor)
    return F.interpolate(gate, size=[wanted_height, wanted_width], mode="nearest")


class _ConvBias(nn.Layer):
    """1x1 convolution with bias under the key ``conv.*``."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2D(in_channels, out_channels, 1, weight_attr=normal_attr(WEIGHT_STD))

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.conv(x)


class SpatialWeighting(nn.Layer):
    """One gate per channel, from its mean over the map."""

    def __init__(self, channels: int, reduction: int = 4) -> None:
        super().__init__()
        self.conv1 = _ConvBias(channels, channels // reduction)
        self.conv2 = _ConvBias(channels // reduction, channels)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return x * F.sigmoid(self.conv2(F.relu(self.conv1(F.adaptive_avg_pool2d(x, 1)))))


class WeightingUnits(nn.Layer):
    """Conditional channel weighting, one unit for all resolutions: half of the channels are gated, convolved and gated again."""

    def __init__(self, conv: ConvFactory, channels: Sequence[int], reduction: int = 8) -> None:
        super().__init__()
        halves = [c // 2 for c in channels]
        self.cross_resolution_weighting = CrossResolutionWeighting(conv, halves, reduction)
        self.depthwise_convs = nn.LayerList([conv(c, c, 3, groups=c) for c in halves])
        self.spatial_weighting = nn.LayerList([SpatialWeighting(c) for c in halves])

    def forward(self, xs: List[paddle.Tensor]) -> List[paddle.Tensor]:
        pairs = [split_halves(x) for x in xs]
        changed = self.cross_resolution_weighting([second for _, second in pairs])
        outputs = []
        for (kept, _), x, depthwise, gate in zip(pairs, changed, self.depthwise_convs, self.spatial_weighting):
            outputs.append(join_shuffled(kept, gate(depthwise(x))))
        return outputs


class Exchange(nn.Layer):
    """Fusion: sums over resolutions, as the published weights require.

    The authors' code adds in place, which changes input 0 before later rows read it, and counts the first term of each
    row twice. The weights were trained that way, so rows i >= 1 use the sum of row 0 (before its ReLU).
    Keys ``{i}.{j}.*``: row i, input j.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        count = len(channels)
        for i in range(count):
            row = nn.LayerDict()
            for j in range(count):
                if j > i:
                    row[str(j)] = nn.Sequential(*pointwise(channels[j], channels[i]))
                elif j < i:
                    row[str(j)] = self._downsampling(channels, i, j)
            self.add_sublayer(str(i), row)

    @staticmethod
    def _downsampling(channels: Sequence[int], i: int, j: int) -> nn.Sequential:
        steps = []
        for k in range(i - j):
            last = k == i - j - 1
            steps.append(separable(channels[j], channels[i if last else j], stride=2, relu=not last))
        return nn.Sequential(*steps)

    def _term(self, i: int, j: int, x: paddle.Tensor) -> paddle.Tensor:
        if i == j:
            return x
        y = self._sub_layers[str(i)][str(j)](x)
        return upsample_nearest(y, 2 ** (j - i)) if j > i else y

    def forward(self, xs: List[paddle.Tensor]) -> List[paddle.Tensor]:
        xs = list(xs)
        outputs = []
        for i in range(len(xs)):
            y = self._term(i, 0, xs[0]) * 2.0
            for j in range(1, len(xs)):
                y = y + self._term(i, j, xs[j])
            if i == 0:
                xs[0] = y
            outputs.append(F.relu(y))
        return outputs


class _HeadConv(nn.Layer):
    """Depthwise 3x3 without activation, pointwise with ReLU."""

    def __init__(self, conv: ConvFactory, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.depthwise_conv = conv(in_channels, in_channels, 3, groups=in_channels)
        self.pointwise_conv = conv(in_channels, out_channels, 1, act="relu")

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.pointwise_conv(self.depthwise_conv(x))


class IterativeHead(nn.Layer):
    """From the coarsest map to the finest: upsample (bilinear, corners aligned), add, convolve."""

    def __init__(self, conv: ConvFactory, channels: Sequence[int]) -> None:
        super().__init__()
        widths = list(reversed(channels))
        pairs: List[Tuple[int, int]] = list(zip(widths, [*widths[1:], widths[-1]]))
        self.projects = nn.LayerList([_HeadConv(conv, a, b) for a, b in pairs])

    def forward(self, xs: List[paddle.Tensor]) -> List[paddle.Tensor]:
        outputs: List[paddle.Tensor] = []
        last: Optional[paddle.Tensor] = None
        for x, project in zip(reversed(xs), self.projects):
            if last is not None:
                x = x + resize_aligned(last, x.shape[2:])
            last = project(x)
            outputs.append(last)
        return outputs[::-1]
