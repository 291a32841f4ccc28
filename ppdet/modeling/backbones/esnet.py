"""ESNet: an enhanced ShuffleNetV2, PicoDet's first backbone (Yu et al., arXiv:2111.00902)."""

from __future__ import annotations

from typing import List, Sequence

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.initializer import kaiming_normal_attr
from ppdet.modeling.layers.channel_shuffle import join_shuffled, split_halves
from ppdet.modeling.layers.conv_norm import ConvNorm
from ppdet.modeling.layers.divisible import round_channels
from ppdet.modeling.layers.squeeze_excitation import SqueezeExcitation
from ppdet.modeling.shape_spec import ShapeSpec

REPEATS = (3, 7, 3)
STEM_CHANNELS = 24
CHANNEL_RATIOS = (0.875, 0.5, 1.0, 0.625, 0.5, 0.75, 0.625, 0.625, 0.5, 0.625, 1.0, 0.625, 0.75)


class _Conv(ConvNorm):
    """Keys ``_conv.*`` and ``_batch_norm.*``."""

    conv_key = "_conv"
    norm_key = "_batch_norm"
    initial_weight = staticmethod(kaiming_normal_attr)


class _Unit(nn.Layer):
    """Stride 1: half of the channels pass unchanged; the others are reduced, convolved, gated and expanded."""

    def __init__(self, channels: int, middle: int, act: str) -> None:
        super().__init__()
        half, inner = channels // 2, middle // 2
        self._conv_pw = _Conv(half, inner, 1, act=act)
        self._conv_dw = _Conv(inner, inner, 3, groups=inner)
        self._se = SqueezeExcitation(middle)
        self._conv_linear = _Conv(middle, half, 1, act=act)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        kept, changed = split_halves(x)
        changed = self._conv_pw(changed)
        changed = paddle.concat([changed, self._conv_dw(changed)], axis=1)
        return join_shuffled(kept, self._conv_linear(self._se(changed)))


class _DownsamplingUnit(nn.Layer):
    """Stride 2: two parallel branches, merged by a separable convolution instead of a shuffle."""

    def __init__(self, in_channels: int, channels: int, middle: int, act: str) -> None:
        super().__init__()
        half, inner = channels // 2, middle // 2
        self._conv_dw_1 = _Conv(in_channels, in_channels, 3, stride=2, groups=in_channels)
        self._conv_linear_1 = _Conv(in_channels, half, 1, act=act)
        self._conv_pw_2 = _Conv(in_channels, inner, 1, act=act)
        self._conv_dw_2 = _Conv(inner, inner, 3, stride=2, groups=inner)
        self._se = SqueezeExcitation(inner)
        self._conv_linear_2 = _Conv(inner, half, 1, act=act)
        self._conv_dw_mv1 = _Conv(channels, channels, 3, groups=channels, act="hard_swish")
        self._conv_pw_mv1 = _Conv(channels, channels, 1, act="hard_swish")

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        first = self._conv_linear_1(self._conv_dw_1(x))
        second = self._conv_linear_2(self._se(self._conv_dw_2(self._conv_pw_2(x))))
        return self._conv_pw_mv1(self._conv_dw_mv1(paddle.concat([first, second], axis=1)))


@register
class ESNet(nn.Layer):
    """ESNet; keys ``_conv1.*`` and ``{stage}_{unit}.*`` with stages 2 to 4.

    Args:
        scale: factor on the channel counts of the stages.
        act: activation.
        feature_maps: blocks whose outputs to return; 0 is the stem, 1 the pooling, 2 to 14 the units.
        channel_ratio: hidden width of each unit as a fraction of its stage's width, 13 numbers.

    Raises:
        ConfigError: an unknown map, or not 13 ratios.
    """

    def __init__(
        self,
        scale: float = 1.0,
        act: str = "hard_swish",
        feature_maps: Sequence[int] = (4, 11, 14),
        channel_ratio: Sequence[float] = CHANNEL_RATIOS,
    ) -> None:
        super().__init__()
        _check(feature_maps, channel_ratio)
        self.feature_maps = sorted(feature_maps)
        self._units: List[str] = []
        self._conv1 = _Conv(3, STEM_CHANNELS, 3, stride=2, act=act)
        channels, stride, index = STEM_CHANNELS, 4, 2
        shapes = {0: ShapeSpec(channels, 2), 1: ShapeSpec(channels, 4)}
        for stage, repeats in enumerate(REPEATS, start=2):
            width = round_channels(2 ** (stage + 5) * scale)
            stride *= 2
            for unit in range(1, repeats + 1):
                middle = round_channels(int(width * channel_ratio[index - 2]))
                block = _DownsamplingUnit(channels, width, middle, act) if unit == 1 else _Unit(width, middle, act)
                self._units.append(f"{stage}_{unit}")
                self.add_sublayer(self._units[-1], block)
                shapes[index] = ShapeSpec(width, stride)
                channels, index = width, index + 1
        self.out_shape = [shapes[m] for m in self.feature_maps]

    def forward(self, images: paddle.Tensor) -> List[paddle.Tensor]:
        """(B, 3, H, W) -> one (B, C, H / stride, W / stride) per entry of `feature_maps`, finest first."""
        stem = self._conv1(images)
        outputs = [stem, F.max_pool2d(stem, 3, stride=2, padding=1)]
        for name in self._units:
            outputs.append(self._sub_layers[name](outputs[-1]))
        return [outputs[m] for m in self.feature_maps]


def _check(feature_maps: Sequence[int], channel_ratio: Sequence[float]) -> None:
    units = sum(REPEATS)
    if len(channel_ratio) != units:
        raise ConfigError(f"ESNet: channel_ratio has {len(channel_ratio)} numbers; there are {units} units")
    if not feature_maps or not set(feature_maps) <= set(range(units + 2)):
        raise ConfigError(f"ESNet: feature_maps {list(feature_maps)} is not possible; give one or more of 0 to {units + 1}")
