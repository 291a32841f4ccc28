"""DLA-34: deep layer aggregation (Yu et al., CVPR 2018)."""

from __future__ import annotations

from typing import List, Optional, Sequence

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.initializer import normal_attr
from ppdet.modeling.layers.conv_norm import ConvNorm
from ppdet.modeling.shape_spec import ShapeSpec

# depth: (blocks or depth of the tree, channels) of each level
DEPTHS = {34: ((1, 1, 1, 2, 2, 1), (16, 32, 64, 128, 256, 512))}
WEIGHT_STD = 0.01


def _conv(given: int, wanted: int, kernel: int, stride: int = 1, act: Optional[str] = None) -> ConvNorm:
    return ConvNorm(given, wanted, kernel, stride, act=act, weight_attr=normal_attr(WEIGHT_STD), norm_decay=None)


class _BasicBlock(nn.Layer):
    """Two 3x3 convolutions and a residual that the caller gives; keys ``conv1.*``, ``conv2.*``."""

    def __init__(self, given: int, wanted: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _conv(given, wanted, 3, stride, act="relu")
        self.conv2 = _conv(wanted, wanted, 3)

    def forward(self, x: paddle.Tensor, residual: Optional[paddle.Tensor] = None) -> paddle.Tensor:
        return F.relu(self.conv2(self.conv1(x)) + (x if residual is None else residual))


class _Root(nn.Layer):
    """A 1x1 convolution of several maps; keys ``conv.*``."""

    def __init__(self, given: int, wanted: int) -> None:
        super().__init__()
        self.conv = _conv(given, wanted, 1, act="relu")

    def forward(self, maps: Sequence[paddle.Tensor]) -> paddle.Tensor:
        return self.conv(paddle.concat(list(maps), axis=1))


class _Tree(nn.Layer):
    """Two blocks, or two smaller trees, joined at the root; keys ``tree1.*``, ``tree2.*``, ``root.*``, ``project.*``.

    Published files contain `project` of a tree of trees, too, though the trees within project by themselves: it has no effect
    and is frozen.

    Args:
        depth: 1 for two blocks.
        given, wanted: channels.
        stride: of the first block, and of the pooling beside it.
        level_root: the pooled input also goes to the root.
        extra: channels of further maps at the root.
    """

    def __init__(self, depth: int, given: int, wanted: int, stride: int = 1, level_root: bool = False, extra: int = 0) -> None:
        super().__init__()
        at_root = 2 * wanted + (given if level_root else 0) + extra
        self.is_leaf, self.level_root, self.stride = depth == 1, level_root, stride
        if self.is_leaf:
            self.tree1: nn.Layer = _BasicBlock(given, wanted, stride)
            self.tree2: nn.Layer = _BasicBlock(wanted, wanted, 1)
            self.root = _Root(at_root, wanted)
        else:
            self.tree1 = _Tree(depth - 1, given, wanted, stride)
            self.tree2 = _Tree(depth - 1, wanted, wanted, extra=at_root - wanted)
        self.project = _conv(given, wanted, 1) if given != wanted else None
        if self.project is not None and not self.is_leaf:
            for parameter in self.project.parameters():
                parameter.stop_gradient = True

    def forward(self, x: paddle.Tensor, children: Sequence[paddle.Tensor] = ()) -> paddle.Tensor:
        bottom = F.max_pool2d(x, self.stride, stride=self.stride) if self.stride > 1 else x
        further = [*children, bottom] if self.level_root else list(children)
        if not self.is_leaf:
            x1 = self.tree1(x)
            return self.tree2(x1, [*further, x1])
        x1 = self.tree1(x, bottom if self.project is None else self.project(bottom))
        return self.root([self.tree2(x1), x1, *further])


@register
class DLA(nn.Layer):
    """Deep layer aggregation.

    Keys ``base_layer.0.*``, ``level0.0.*``, ``level1.0.*``, ``level{2..5}.*``.

    Args:
        depth: 34.
        residual_root, pre_img, pre_hm: PaddleDetection's keys for other models; only False.

    Raises:
        ConfigError: another depth or model.
    """

    input_multiple = 32

    def __init__(self, depth: int = 34, residual_root: bool = False, pre_img: bool = False, pre_hm: bool = False) -> None:
        super().__init__()
        if depth not in DEPTHS or residual_root or pre_img or pre_hm:
            raise ConfigError("DLA: only depth 34 without residual_root, pre_img and pre_hm is here; remove these keys")
        blocks, channels = DEPTHS[depth]
        self.base_layer = nn.Sequential(_conv(3, channels[0], 7, act="relu"))
        self.level0 = nn.Sequential(*self._plain(channels[0], channels[0], blocks[0], 1))
        self.level1 = nn.Sequential(*self._plain(channels[0], channels[1], blocks[1], 2))
        for level in range(2, 6):
            tree = _Tree(blocks[level], channels[level - 1], channels[level], stride=2, level_root=level > 2)
            self.add_sublayer(f"level{level}", tree)
        self.out_shape = [ShapeSpec(width, 2**level) for level, width in enumerate(channels)]

    @staticmethod
    def _plain(given: int, wanted: int, count: int, stride: int) -> List[nn.Layer]:
        return [_conv(given if i == 0 else wanted, wanted, 3, stride if i == 0 else 1, act="relu") for i in range(count)]

    def forward(self, images: paddle.Tensor) -> List[paddle.Tensor]:
        """(B, 3, H, W) -> six (B, C, H / stride, W / stride), strides 1 to 32."""
        x, levels = self.base_layer(images), []
        for level in range(6):
            x = getattr(self, f"level{level}")(x)
            levels.append(x)
        return levels
