"""HRNet: parallel branches of several resolutions with repeated fusion (Wang et al., TPAMI 2020; Sun et al., CVPR 2019)."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Sequence, Tuple

import paddle
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.backbones.hrnet_blocks import Bottleneck, Branches, ConvFactory, FuseLayers, conv_factory
from ppdet.modeling.shape_spec import ShapeSpec

WIDTHS = (18, 30, 32, 40, 44, 48, 60, 64)
STRIDES = (4, 8, 16, 32)


class Plan(NamedTuple):
    """Sizes of a network.

    Attributes:
        width: channels of the finest branch.
        stem_width: width of the four bottlenecks before the branches; they output four times as many channels.
        modules: number of modules of stages 2, 3 and 4.
        blocks: residual blocks per branch and module.
    """

    width: int
    stem_width: int = 64
    modules: Tuple[int, int, int] = (1, 4, 3)
    blocks: int = 4


# humanpose.pytorch's pose_hrnet_w18_small_v1 and _v2. The first's published size and cost need a stem of 32 channels, and its
# branches are 16, 32, 64 and 128 channels wide in spite of the name.
SMALL = {"v1": Plan(16, 32, (1, 1, 1), 2), "v2": Plan(18, 64, (1, 3, 2), 2)}


class _Layer1(nn.Layer):
    """Four bottlenecks at a quarter of the resolution, 64 -> 4 width channels."""

    def __init__(self, conv: ConvFactory, width: int, has_se: bool) -> None:
        super().__init__()
        for k in range(1, 5):
            block = Bottleneck(conv, 64 if k == 1 else 4 * width, width, has_se, project=k == 1)
            self.add_sublayer(f"block_layer2_{k}", block)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        for block in self.children():
            x = block(x)
        return x


class _Transition(nn.Layer):
    """Adapt the widths and add one coarser branch."""

    def __init__(self, conv: ConvFactory, name: str, given: Sequence[int], wanted: Sequence[int]) -> None:
        super().__init__()
        self._branches: List[Optional[nn.Layer]] = []
        for i, channels in enumerate(wanted):
            if i < len(given) and given[i] == channels:
                self._branches.append(None)
                continue
            source, stride = (given[i], 1) if i < len(given) else (given[-1], 2)
            layer = conv(source, channels, 3, stride=stride, act="relu")
            self._branches.append(self.add_sublayer(f"transition_{name}_layer_{i + 1}", layer))

    def forward(self, xs: List[paddle.Tensor]) -> List[paddle.Tensor]:
        return [xs[i] if branch is None else branch(xs[min(i, len(xs) - 1)]) for i, branch in enumerate(self._branches)]


class _Module(nn.Layer):
    """Parallel branches, then fusion."""

    def __init__(
        self, conv: ConvFactory, name: str, channels: Sequence[int], blocks: int, has_se: bool, outputs: int
    ) -> None:
        super().__init__()
        self.branches_func = Branches(conv, name, channels, blocks, has_se)
        self.fuse_func = FuseLayers(conv, name, channels, outputs)

    def forward(self, xs: List[paddle.Tensor]) -> List[paddle.Tensor]:
        return self.fuse_func(self.branches_func(xs))


class _Stage(nn.Layer):
    """A sequence of modules; the last one may return only the finest output."""

    def __init__(self, conv: ConvFactory, stage: int, channels: Sequence[int], plan: Plan, has_se: bool, outputs: int) -> None:
        super().__init__()
        count = plan.modules[stage - 2]
        for m in range(1, count + 1):
            kept = outputs if m == count else len(channels)
            module = _Module(conv, f"st{stage}_{m}", channels, plan.blocks, has_se, kept)
            self.add_sublayer(f"stage_st{stage}_{m}", module)

    def forward(self, xs: List[paddle.Tensor]) -> List[paddle.Tensor]:
        for module in self.children():
            xs = module(xs)
        return xs


@register
class HRNet(nn.Layer):
    """HRNet with branches of width, 2 width, 4 width and 8 width channels at strides 4, 8, 16 and 32.

    Args:
        width: channels of the finest branch, one of `WIDTHS`.
        has_se: squeeze-and-excitation in every residual block.
        freeze_at: index of the output whose gradient is stopped; -1 for none.
        freeze_norm: batch norms keep their loaded statistics and parameters.
        norm_momentum, norm_decay: of the batch norms.
        return_idx: which of the four outputs to return; with [0], layers that only the others need are omitted.
        upsample, downsample: PaddleDetection's variants for other tasks; only False is supported.
        small: "v1" or "v2" for the small networks of humanpose.pytorch, see `SMALL`, instead of `width`.

    Raises:
        ConfigError: an unknown width, output or variant.
    """

    input_multiple = 32  # divides both sides of the input; other sizes fail when branches are fused

    def __init__(
        self,
        width: int = 18,
        has_se: bool = False,
        freeze_at: int = 0,
        freeze_norm: bool = True,
        norm_momentum: float = 0.9,
        norm_decay: float = 0.0,
        return_idx: Sequence[int] = (0, 1, 2, 3),
        upsample: bool = False,
        downsample: bool = False,
        small: Optional[str] = None,
    ) -> None:
        super().__init__()
        _check(width, list(return_idx), upsample, downsample, small)
        plan = Plan(width) if small is None else SMALL[small]
        conv = conv_factory(norm_momentum=norm_momentum, norm_decay=norm_decay, freeze_norm=freeze_norm)
        channels = [plan.width * 2**i for i in range(4)]
        self.return_idx = list(return_idx)
        self.freeze_at = freeze_at
        self.out_shape = [ShapeSpec(channels[i], STRIDES[i]) for i in self.return_idx]

        self.conv_layer1_1 = conv(3, 64, 3, stride=2, act="relu")
        self.conv_layer1_2 = conv(64, 64, 3, stride=2, act="relu")
        self.la1 = _Layer1(conv, plan.stem_width, has_se)
        self.tr1 = _Transition(conv, "tr1", [4 * plan.stem_width], channels[:2])
        self.st2 = _Stage(conv, 2, channels[:2], plan, has_se, outputs=2)
        self.tr2 = _Transition(conv, "tr2", channels[:2], channels[:3])
        self.st3 = _Stage(conv, 3, channels[:3], plan, has_se, outputs=3)
        self.tr3 = _Transition(conv, "tr3", channels[:3], channels)
        self.st4 = _Stage(conv, 4, channels, plan, has_se, outputs=4 if len(self.return_idx) > 1 else 1)

    def forward(self, images: paddle.Tensor) -> List[paddle.Tensor]:
        """(B, 3, H, W), H and W multiples of 32 -> one (B, C, H / stride, W / stride) per entry of `return_idx`."""
        x = self.la1(self.conv_layer1_2(self.conv_layer1_1(images)))
        xs = self.st2(self.tr1([x]))
        xs = self.st3(self.tr2(xs))
        xs = self.st4(self.tr3(xs))
        if 0 <= self.freeze_at < len(xs):
            xs[self.freeze_at].stop_gradient = True
        return [xs[i] for i in self.return_idx]


def _check(width: int, return_idx: List[int], upsample: bool, downsample: bool, small: Optional[str]) -> None:
    if small is not None and small not in SMALL:
        raise ConfigError(f"HRNet: small {small!r} is not defined; use one of {', '.join(SMALL)}, or give a width instead")
    if width not in WIDTHS:
        raise ConfigError(f"HRNet: width {width} is not defined; use one of {', '.join(map(str, WIDTHS))}")
    if not return_idx or not set(return_idx) <= {0, 1, 2, 3} or (len(return_idx) == 1 and return_idx != [0]):
        raise ConfigError(
            f"HRNet: return_idx {return_idx} is not possible; give [0] for the finest output alone, or two or more of 0, 1, 2, 3"
        )
    for name, value in (("upsample", upsample), ("downsample", downsample)):
        if value:
            raise ConfigError(
                f"HRNet: {name}: true (PaddleDetection's variant for tracking or body meshes) is not supported; "
                "remove the key, and give several return_idx if you need more than one resolution"
            )
