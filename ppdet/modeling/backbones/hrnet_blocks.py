"""Blocks of HRNet: residual blocks, the branches of a module and their fusion.

Sublayer names are checkpoint keys of the published models.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, List, Sequence

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppdet.modeling.initializer import fan_in_uniform_attr, normal_attr
from ppdet.modeling.layers.conv_norm import ConvNorm
from ppdet.modeling.layers.upsample import upsample_nearest

ConvFactory = Callable[..., ConvNorm]


def conv_factory(**norm_options: Any) -> ConvFactory:
    """A `ConvNorm` constructor with HRNet's initial weights, N(0, .01), and the given norm options."""

    def make(in_channels: int, out_channels: int, kernel: int, **options: Any) -> ConvNorm:
        return ConvNorm(in_channels, out_channels, kernel, weight_attr=normal_attr(0.01), **norm_options, **options)

    return make


class LinearGate(nn.Layer):
    """Squeeze-and-excitation with linear layers; keys ``squeeze.*`` and ``excitation.*``."""

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        hidden = channels // reduction
        self.squeeze = nn.Linear(channels, hidden, weight_attr=fan_in_uniform_attr(channels))
        self.excitation = nn.Linear(hidden, channels, weight_attr=fan_in_uniform_attr(hidden))

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        gate = F.relu(self.squeeze(F.adaptive_avg_pool2d(x, 1).flatten(1)))
        return x * F.sigmoid(self.excitation(gate)).unsqueeze([2, 3])


class BasicBlock(nn.Layer):
    """Two 3x3 convolutions and a shortcut."""

    def __init__(self, conv: ConvFactory, channels: int, has_se: bool) -> None:
        super().__init__()
        self.conv1 = conv(channels, channels, 3, act="relu")
        self.conv2 = conv(channels, channels, 3)
        self.se = LinearGate(channels) if has_se else None

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        y = self.conv2(self.conv1(x))
        return F.relu(x + (y if self.se is None else self.se(y)))


class Bottleneck(nn.Layer):
    """1x1, 3x3, 1x1 (four times as wide) and a shortcut, with a 1x1 convolution if `project`."""

    def __init__(self, conv: ConvFactory, in_channels: int, width: int, has_se: bool, project: bool) -> None:
        super().__init__()
        self.conv1 = conv(in_channels, width, 1, act="relu")
        self.conv2 = conv(width, width, 3, act="relu")
        self.conv3 = conv(width, width * 4, 1)
        self.conv_down = conv(in_channels, width * 4, 1) if project else None
        self.se = LinearGate(width * 4) if has_se else None

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        y = self.conv3(self.conv2(self.conv1(x)))
        y = y if self.se is None else self.se(y)
        return F.relu(y + (x if self.conv_down is None else self.conv_down(x)))


class Branches(nn.Layer):
    """Parallel branches with the same number of basic blocks per resolution."""

    def __init__(self, conv: ConvFactory, name: str, channels: Sequence[int], blocks: int, has_se: bool) -> None:
        super().__init__()
        self._chains: List[List[BasicBlock]] = []
        for b, width in enumerate(channels, start=1):
            chain = []
            for k in range(1, blocks + 1):
                key = f"bb_{name}_branch_layer_{b}_{k}"
                chain.append(self.add_sublayer(key, BasicBlock(conv, width, has_se)))
            self._chains.append(chain)

    def forward(self, xs: List[paddle.Tensor]) -> List[paddle.Tensor]:
        outputs = []
        for x, chain in zip(xs, self._chains):
            for block in chain:
                x = block(x)
            outputs.append(x)
        return outputs


class FuseLayers(nn.Layer):
    """Every output resolution sums all input resolutions: finer ones by strided 3x3, coarser ones by 1x1 and upsampling."""

    def __init__(self, conv: ConvFactory, name: str, channels: Sequence[int], outputs: int) -> None:
        super().__init__()
        self._paths = [
            [self._path(conv, f"residual_{name}_layer_{i + 1}_{j + 1}", channels, i, j) for j in range(len(channels))]
            for i in range(outputs)
        ]

    def _path(self, conv: ConvFactory, key: str, channels: Sequence[int], i: int, j: int) -> Callable:
        """The layers from input j to output i."""
        if j == i:
            return lambda x: x
        if j > i:
            narrow = self.add_sublayer(key, conv(channels[j], channels[i], 1))
            return partial(_narrow_and_upsample, narrow, 2 ** (j - i))
        steps = []
        for k in range(1, i - j + 1):
            last = k == i - j
            step = conv(channels[j], channels[i if last else j], 3, stride=2, act=None if last else "relu")
            steps.append(self.add_sublayer(f"{key}_{k}", step))
        return partial(_chain, steps)

    def forward(self, xs: List[paddle.Tensor]) -> List[paddle.Tensor]:
        outputs = []
        for i, paths in enumerate(self._paths):
            y = xs[i]
            for j, (x, path) in enumerate(zip(xs, paths)):
                if j != i:
                    y = y + path(x)
            outputs.append(F.relu(y))
        return outputs


def _narrow_and_upsample(conv: nn.Layer, factor: int, x: paddle.Tensor) -> paddle.Tensor:
    return upsample_nearest(conv(x), factor)


def _chain(steps: Sequence[nn.Layer], x: paddle.Tensor) -> paddle.Tensor:
    for step in steps:
        x = step(x)
    return x
