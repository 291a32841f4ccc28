"""PP-YOLOv2's neck: path aggregation with cross-stage-partial blocks, pooled context and DropBlock (arXiv:2104.10419).

Legend: B batch, C channels, h w cells.
"""

from __future__ import annotations

from typing import List, Optional, Sequence

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.initializer import kaiming_normal_attr
from ppdet.modeling.layers.conv_norm import ConvNorm, check_norm_type
from ppdet.modeling.layers.divisible import round_channels
from ppdet.modeling.layers.drop_block import DropBlock
from ppdet.modeling.layers.upsample import upsample_nearest
from ppdet.modeling.shape_spec import ShapeSpec

WIDTH = 512
"""Width of the blocks of the coarsest level; halved for each finer one."""
POOLS = (5, 9, 13)
SPECIAL_PLACE = 3
"""Index of the convolution that SPP replaces and after which DropBlock stands."""


class _ConvNorm(ConvNorm):
    """`ConvNorm` with keys ``conv.*`` and ``batch_norm.*``."""

    norm_key = "batch_norm"
    initial_weight = staticmethod(kaiming_normal_attr)


class _PooledPyramid(nn.Layer):
    """The map beside its maxima over several windows, joined by a 1x1 convolution (He et al., ECCV 2014); key ``conv.*``."""

    def __init__(self, channels: int, act: str) -> None:
        super().__init__()
        self.conv = _ConvNorm(channels * (1 + len(POOLS)), channels, 1, act=act)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        pooled = [F.max_pool2d(x, size, stride=1, padding=size // 2) for size in POOLS]
        return self.conv(paddle.concat([x, *pooled], axis=1))


class _CrossStagePartial(nn.Layer):
    """Pairs of 1x1 and 3x3 convolutions beside a 1x1 bypass, joined by a 1x1; keys ``conv{1,2,3}.*``, ``conv_module.*``."""

    def __init__(self, in_channels: int, width: int, pairs: int, act: str, spp: bool, drop: Optional[DropBlock]) -> None:
        super().__init__()
        self.conv1 = _ConvNorm(in_channels, width, 1, act=act)
        self.conv2 = _ConvNorm(in_channels, width, 1, act=act)
        steps = [(f"{j}.{k}", _ConvNorm(width, width, 1 + 2 * k, act=act)) for j in range(pairs) for k in (0, 1)]
        if spp:
            steps[SPECIAL_PLACE] = ("spp", _PooledPyramid(width, act))
        if drop is not None:
            steps.insert(SPECIAL_PLACE + 1, ("dropblock", drop))
        self.conv_module = nn.Sequential(*steps)
        self.conv3 = _ConvNorm(2 * width, 2 * width, 1, act=act)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.conv3(paddle.concat([self.conv_module(self.conv1(x)), self.conv2(x)], axis=1))


@register
class PPYOLOPAN(nn.Layer):
    """From coarse to fine and back. Keys ``fpn.{i}.*``, ``fpn_transition.{i}.*``, ``pan.{i}.*``, ``pan_transition.{i}.*``.

    Args:
        in_channels: channels of the input levels, finest first.
        norm_type: "bn" or "sync_bn".
        act: activation.
        conv_block_num: pairs of convolutions in each block, 2 or more.
        drop_block: DropBlock in each block.
        block_size, keep_prob: of DropBlock.
        spp: pooled context in the coarsest block.
        scale: factor on all channel counts; below 1 for small networks.
        input_shape: the input levels, set by the detector; overrides in_channels.

    Raises:
        ConfigError: too few pairs or levels.
    """

    __shared__ = ["norm_type"]

    def __init__(
        self,
        in_channels: Sequence[int] = (512, 1024, 2048),
        norm_type: str = "bn",
        act: str = "mish",
        conv_block_num: int = 3,
        drop_block: bool = False,
        block_size: int = 3,
        keep_prob: float = 0.9,
        spp: bool = False,
        scale: float = 1.0,
        input_shape: Optional[Sequence[ShapeSpec]] = None,
    ) -> None:
        super().__init__()
        check_norm_type(norm_type, "PPYOLOPAN")
        strides = [8 * 2**i for i in range(len(in_channels))]
        if input_shape is not None:
            in_channels, strides = [shape.channels for shape in input_shape], [shape.stride for shape in input_shape]
        if conv_block_num < 2 or len(in_channels) < 2:
            raise ConfigError(
                f"PPYOLOPAN: conv_block_num is 2 or more and takes two or more levels; given {conv_block_num} and "
                f"{len(in_channels)} levels"
            )
        levels = len(in_channels)
        widths = [round_channels(WIDTH * scale / 2**i) for i in range(levels)]  # coarsest first, like all lists below

        def block(given: int, width: int, with_spp: bool = False) -> nn.Layer:
            drop = DropBlock(block_size, keep_prob) if drop_block else None
            return _CrossStagePartial(given, width, conv_block_num, act, with_spp, drop)

        extra = [0, *widths[:-1]]  # what comes down from the coarser level
        self.fpn = nn.LayerList(
            [block(c + e, w, spp and i == 0) for i, (c, e, w) in enumerate(zip(in_channels[::-1], extra, widths))]
        )
        self.fpn_transition = nn.LayerList([_ConvNorm(2 * w, w, 1, act=act) for w in widths[:-1]])
        finer = [2 * w for w in widths[1:]]
        self.pan_transition = nn.LayerList([_ConvNorm(f, f, 3, 2, act=act) for f in finer])
        self.pan = nn.LayerList([block(f + 2 * w, w) for f, w in zip(finer, widths)])
        self.out_shape = [ShapeSpec(2 * w, stride) for w, stride in zip(widths, strides[::-1])]

    def forward(self, features: Sequence[paddle.Tensor]) -> List[paddle.Tensor]:
        """Levels, finest first, each half the size of the previous -> the same number of levels, coarsest first."""
        down: List[paddle.Tensor] = []
        for i, feature in enumerate(features[::-1]):
            if i > 0:
                feature = paddle.concat([upsample_nearest(self.fpn_transition[i - 1](down[-1]), 2), feature], axis=1)
            down.append(self.fpn[i](feature))
        outputs = [down[-1]]
        for i in range(len(down) - 2, -1, -1):
            outputs.insert(0, self.pan[i](paddle.concat([self.pan_transition[i](outputs[0]), down[i]], axis=1)))
        return outputs
