"""Convolutions of PicoDet's head: one stack per level."""

from __future__ import annotations

from typing import Tuple

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.modeling.initializer import normal_attr
from ppdet.modeling.layers.activation import activation
from ppdet.modeling.layers.conv_norm import ConvNorm, check_norm_type

KERNEL = 5


class _Gate(nn.Layer):
    """Channel gate from the mean of the map, then a 1x1; keys ``fc.*``, ``conv.*``."""

    def __init__(self, channels: int, act: str) -> None:
        super().__init__()
        self.fc = nn.Conv2D(channels, channels, 1, weight_attr=normal_attr(0.001))
        self.conv = ConvNorm(channels, channels, 1, act=act, weight_attr=normal_attr(0.01))

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return self.conv(x * F.sigmoid(self.fc(F.adaptive_avg_pool2d(x, 1))))


@register
class PicoFeat(nn.Layer):
    """Separable 5x5 convolutions before the classifier and the box regressor.

    Keys ``cls_conv_dw{level}.{k}.*``, ``cls_conv_pw{level}.{k}.*``, with separate stacks also ``reg_conv_*``, and
    ``se.{level}.*``.

    Args:
        feat_in, feat_out: channels of the input levels and of the output.
        num_fpn_stride: number of levels.
        num_convs: separable convolutions in a stack.
        norm_type: "bn" or "sync_bn".
        share_cls_reg: one stack for classes and boxes.
        act: activation.
        use_se: apply a channel gate to the features of boxes (and, in `PicoHeadV2`, of classes).

    Raises:
        ConfigError: unknown norm_type or act.
    """

    def __init__(
        self,
        feat_in: int = 256,
        feat_out: int = 96,
        num_fpn_stride: int = 3,
        num_convs: int = 2,
        norm_type: str = "bn",
        share_cls_reg: bool = False,
        act: str = "hard_swish",
        use_se: bool = False,
    ) -> None:
        super().__init__()
        check_norm_type(norm_type, "PicoFeat")
        activation(act)
        self.channels, self.levels, self.act = feat_out, num_fpn_stride, act
        self.num_convs, self.share_cls_reg, self.use_se = num_convs, share_cls_reg, use_se
        if use_se:
            self.se = nn.LayerList([_Gate(feat_out, act) for _ in range(num_fpn_stride)])
        for level in range(num_fpn_stride):
            self._add_stack("cls", level, feat_in, feat_out)
            if not share_cls_reg:
                self._add_stack("reg", level, feat_in, feat_out)

    def _add_stack(self, name: str, level: int, given: int, wanted: int) -> None:
        widths = [given] + [wanted] * (self.num_convs - 1)
        attr = normal_attr(0.01)
        depthwise = [ConvNorm(c, wanted, KERNEL, groups=wanted, act=self.act, weight_attr=attr) for c in widths]
        pointwise = [ConvNorm(wanted, wanted, 1, act=self.act, weight_attr=attr) for _ in widths]
        self.add_sublayer(f"{name}_conv_dw{level}", nn.LayerList(depthwise))
        self.add_sublayer(f"{name}_conv_pw{level}", nn.LayerList(pointwise))

    def _run_stack(self, name: str, level: int, x: paddle.Tensor) -> paddle.Tensor:
        layers = self._sub_layers
        for depthwise, pointwise in zip(layers[f"{name}_conv_dw{level}"], layers[f"{name}_conv_pw{level}"]):
            x = pointwise(depthwise(x))
        return x

    def forward(self, x: paddle.Tensor, level: int) -> Tuple[paddle.Tensor, paddle.Tensor]:
        """One level (B, feat_in, h, w) -> features for classes and for boxes, each (B, feat_out, h, w)."""
        for_classes = self._run_stack("cls", level, x)
        for_boxes = for_classes if self.share_cls_reg else self._run_stack("reg", level, x)
        return for_classes, self.se[level](for_boxes) if self.use_se else for_boxes
