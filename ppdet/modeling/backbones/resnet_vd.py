"""ResNet-vd with deformable convolutions, the backbone of PP-YOLOv2 (He et al., CVPR 2019, "Bag of Tricks").

Its keys are PaddleDetection's; `PoseResNet` is the plain ResNet under torchvision's names. B batch, C channels, H W pixels.
"""

from __future__ import annotations

from typing import List, Sequence

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.initializer import kaiming_normal_attr
from ppdet.modeling.layers.conv_norm import ConvNorm, batch_norm, check_norm_type
from ppdet.modeling.layers.deformable_conv import DeformableConv
from ppdet.modeling.layers.divisible import round_channels
from ppdet.modeling.shape_spec import ShapeSpec

BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
WIDTHS = (64, 128, 256, 512)
EXPANSION = 4
MANY_BLOCKS = 10
"""Above this number the blocks of a stage are called a, b1, b2, ... instead of a, b, c, ..."""


class _ConvNorm(ConvNorm):
    """`ConvNorm` whose weights start with He's normal distribution."""

    initial_weight = staticmethod(kaiming_normal_attr)


class _DeformableConvNorm(DeformableConv):
    """A deformable convolution without bias, batch norm, ReLU; keys ``conv_offset.*``, ``conv.*``, ``norm.*``."""

    conv_key = "conv"

    def __init__(self, in_channels: int, out_channels: int, stride: int, norm_decay: float, freeze_norm: bool) -> None:
        super().__init__(in_channels, out_channels, 3, stride)
        self.norm = batch_norm(out_channels, norm_decay, freeze_norm)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return F.relu(self.norm(super().forward(x)))


class _PooledShortcut(nn.Layer):
    """Shortcut of a block with stride: average pooling, then a 1x1 convolution; key ``conv.*``."""

    def __init__(self, in_channels: int, out_channels: int, norm_decay: float, freeze_norm: bool) -> None:
        super().__init__()
        self.conv = _ConvNorm(in_channels, out_channels, 1, norm_decay=norm_decay, freeze_norm=freeze_norm)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.conv(F.avg_pool2d(x, 2, stride=2, ceil_mode=True))


class _Bottleneck(nn.Layer):
    """1x1, 3x3 (with the stride), 1x1; keys ``branch2a.*`` to ``branch2c.*``, and ``short.*`` in the first block of a stage."""

    def __init__(
        self, in_channels: int, width: int, stride: int, first: bool, deformable: bool, norm_decay: float, freeze_norm: bool
    ) -> None:
        super().__init__()
        out_channels = width * EXPANSION
        norm = {"norm_decay": norm_decay, "freeze_norm": freeze_norm}
        if first and stride > 1:
            self.short: nn.Layer = _PooledShortcut(in_channels, out_channels, **norm)
        elif first:
            self.short = _ConvNorm(in_channels, out_channels, 1, **norm)
        self._first = first
        self.branch2a = _ConvNorm(in_channels, width, 1, act="relu", **norm)
        if deformable:
            self.branch2b: nn.Layer = _DeformableConvNorm(width, width, stride, **norm)
        else:
            self.branch2b = _ConvNorm(width, width, 3, stride, act="relu", **norm)
        self.branch2c = _ConvNorm(width, out_channels, 1, **norm)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        y = self.branch2c(self.branch2b(self.branch2a(x)))
        return F.relu(y + (self.short(x) if self._first else x))


@register
class ResNet(nn.Layer):
    """ResNet-vd. Keys ``conv1.conv1_{1,2,3}.*``, ``res{2..5}.res{2..5}{a,b,...}.*``.

    Args:
        depth: 50, 101 or 152.
        variant: "d" only: three 3x3 convolutions as the stem, and average pooling in shortcuts with stride.
        return_idx: stages whose outputs are returned, 0 to 3 for strides 4 to 32.
        dcn_v2_stages: stages whose 3x3 convolutions are deformable; [-1] for none.
        num_stages: number of stages that are built.
        freeze_at: last stage whose weights are not trained (the stem with it); -1 trains all.
        freeze_norm: keep scale, shift and statistics of the norms as loaded.
        norm_type: "bn" or "sync_bn".
        norm_decay: weight decay of the norms.
        lr_mult_list: factor on the learning rate of each stage.
        scale: factor on all channel counts; below 1 for small networks.

    Raises:
        ConfigError: a depth, variant or stage that is not defined.
    """

    __shared__ = ["norm_type"]
    input_multiple = 32  # divides both sides of the input

    def __init__(
        self,
        depth: int = 50,
        variant: str = "d",
        return_idx: Sequence[int] = (0, 1, 2, 3),
        dcn_v2_stages: Sequence[int] = (-1,),
        num_stages: int = 4,
        freeze_at: int = 0,
        freeze_norm: bool = True,
        norm_type: str = "bn",
        norm_decay: float = 0.0,
        lr_mult_list: Sequence[float] = (1.0, 1.0, 1.0, 1.0),
        scale: float = 1.0,
    ) -> None:
        super().__init__()
        _check(depth, variant, return_idx, dcn_v2_stages, num_stages, lr_mult_list)
        check_norm_type(norm_type, "ResNet")
        self.return_idx = sorted(set(return_idx))
        norm = {"norm_decay": norm_decay, "freeze_norm": freeze_norm}
        widths = [round_channels(width * scale) for width in WIDTHS]
        half = widths[0] // 2
        self.conv1 = nn.Sequential(
            ("conv1_1", _ConvNorm(3, half, 3, 2, act="relu", **norm)),
            ("conv1_2", _ConvNorm(half, half, 3, act="relu", **norm)),
            ("conv1_3", _ConvNorm(half, widths[0], 3, act="relu", **norm)),
        )
        channels = widths[0]
        for stage in range(num_stages):
            width, stride, blocks = widths[stage], 1 if stage == 0 else 2, []
            for i, name in enumerate(_block_names(stage + 2, BLOCKS[depth][stage])):
                deformable = stage in dcn_v2_stages
                block = _Bottleneck(channels, width, stride if i == 0 else 1, i == 0, deformable, **norm)
                blocks.append((name, block))
                channels = width * EXPANSION
            self.add_sublayer(f"res{stage + 2}", nn.Sequential(*blocks))
        self._stages = [self._sub_layers[f"res{stage + 2}"] for stage in range(num_stages)]
        for layers, factor in zip(self._stages, lr_mult_list):
            for parameter in layers.parameters():
                parameter.optimize_attr["learning_rate"] = float(factor)
        if freeze_at >= 0:
            for layers in [self.conv1, *self._stages[: freeze_at + 1]]:
                for parameter in layers.parameters():
                    parameter.stop_gradient = True
        self.out_shape = [ShapeSpec(widths[stage] * EXPANSION, 4 * 2**stage) for stage in self.return_idx]

    def forward(self, images: paddle.Tensor) -> List[paddle.Tensor]:
        """(B, 3, H, W) -> one (B, C, H / stride, W / stride) per entry of `return_idx`, finest first."""
        x = F.max_pool2d(self.conv1(images), 3, stride=2, padding=1)
        outputs = []
        for stage, layers in enumerate(self._stages):
            x = layers(x)
            if stage in self.return_idx:
                outputs.append(x)
        return outputs


def _block_names(stage: int, count: int) -> List[str]:
    if count > MANY_BLOCKS:
        return [f"res{stage}a", *(f"res{stage}b{i}" for i in range(1, count))]
    return [f"res{stage}{chr(ord('a') + i)}" for i in range(count)]


def _check(
    depth: int, variant: str, return_idx: Sequence[int], dcn: Sequence[int], stages: int, factors: Sequence[float]
) -> None:
    if depth not in BLOCKS:
        raise ConfigError(f"ResNet: depth {depth} is not defined; use one of {', '.join(map(str, BLOCKS))}")
    if variant != "d":
        raise ConfigError(f"ResNet: variant {variant!r} is not supported; the backbone of PP-YOLOv2 is variant: d")
    if not 1 <= stages <= len(WIDTHS) or not return_idx or not set(return_idx) <= set(range(stages)):
        raise ConfigError(f"ResNet: return_idx {list(return_idx)} is not possible; give some of 0 to {stages - 1}")
    if not set(dcn) <= {-1, *range(stages)}:
        raise ConfigError(f"ResNet: dcn_v2_stages {list(dcn)} is not possible; give some of 0 to {stages - 1}, or [-1]")
    if len(factors) < stages:
        raise ConfigError(f"ResNet: lr_mult_list has {len(factors)} factors for {stages} stages")
