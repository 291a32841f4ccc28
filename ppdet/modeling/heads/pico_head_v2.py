"""PicoDet's second head (PaddleDetection 2.4): gated features, and a score that knows how well the box will fit."""

from __future__ import annotations

from typing import Any, Optional, Sequence, Tuple

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.heads.multiclass_nms import MultiClassNMS
from ppdet.modeling.heads.pico_base import PicoHeadBase
from ppdet.modeling.heads.pico_feat import PicoFeat
from ppdet.modeling.initializer import constant_attr, normal_attr, prior_bias
from ppdet.modeling.layers.separable import DepthPointConv

ALIGN_KERNEL = 5
EPSILON = 1e-9


@register
class PicoHeadV2(PicoHeadBase):
    """Score = sqrt(sigmoid(class) sigmoid(alignment)), in the spirit of Feng et al., ICCV 2021 (TOOD).

    Keys ``conv_feat.*``, ``head_cls_list.{i}.*`` and the same tensors again as ``head_cls{i}.*``, likewise ``reg``,
    ``cls_align.{i}.*``.

    Args:
        conv_feat: the convolutions in front, with `use_se`.
        num_classes: number of classes.
        fpn_stride: input pixels per cell of each level.
        prior_prob: expected share of positive cells, sets the classifier's first bias.
        use_align_head: False scores by the class alone.
        reg_max: largest distance in cells.
        feat_in_chan: channels `conv_feat` gives.
        nms: suppression of an exported graph.
        cell_offset: place of the anchor point within its cell.
        act: activation of the alignment branch.
        eval_size, nms_pre, loss_class, loss_dfl, loss_bbox, static_assigner_epoch, static_assigner, assigner,
            grid_cell_scale: PaddleDetection's keys for training; not used.

    Raises:
        ConfigError: settings that contradict each other.
    """

    __shared__ = ["num_classes", "eval_size"]
    __inject__ = ["conv_feat", "nms"]

    def __init__(
        self,
        conv_feat: PicoFeat,
        num_classes: int = 80,
        fpn_stride: Sequence[int] = (8, 16, 32),
        prior_prob: float = 0.01,
        use_align_head: bool = True,
        reg_max: int = 16,
        feat_in_chan: int = 96,
        nms: Optional[MultiClassNMS] = None,
        cell_offset: float = 0.0,
        act: str = "hard_swish",
        eval_size: Any = None,
        nms_pre: int = 1000,
        loss_class: Any = None,
        loss_dfl: Any = None,
        loss_bbox: Any = None,
        static_assigner_epoch: int = 60,
        static_assigner: Any = None,
        assigner: Any = None,
        grid_cell_scale: float = 5.0,
    ) -> None:
        super().__init__(conv_feat, num_classes, fpn_stride, reg_max, cell_offset, nms)
        if not conv_feat.use_se:
            raise ConfigError("PicoHeadV2: conv_feat needs use_se: true")
        levels = range(len(fpn_stride))
        self.use_align_head = use_align_head
        bias = constant_attr(prior_bias(prior_prob))
        self.head_cls_list = nn.LayerList([self._conv(feat_in_chan, num_classes, bias) for _ in levels])
        box_channels = 4 * (reg_max + 1)
        self.head_reg_list = nn.LayerList([self._conv(feat_in_chan, box_channels, constant_attr(0.0)) for _ in levels])
        if use_align_head:
            self.cls_align = nn.LayerList([DepthPointConv(feat_in_chan, 1, ALIGN_KERNEL, act=act, act_out=False) for _ in levels])
        for level in levels:  # published files hold these tensors under both names
            self.add_sublayer(f"head_cls{level}", self.head_cls_list[level])
            self.add_sublayer(f"head_reg{level}", self.head_reg_list[level])

    @staticmethod
    def _conv(given: int, wanted: int, bias: paddle.ParamAttr) -> nn.Conv2D:
        return nn.Conv2D(given, wanted, 1, weight_attr=normal_attr(0.01), bias_attr=bias)

    def level_outputs(self, feature: paddle.Tensor, level: int) -> Tuple[paddle.Tensor, paddle.Tensor]:
        """One level (B, feat_in, h, w) -> scores in [0, 1] (B, C, h, w) and box logits (B, 4 R, h, w)."""
        plain, gated = self.conv_feat(feature, level)
        scores = F.sigmoid(self.head_cls_list[level](gated))
        if self.use_align_head:
            scores = (scores * F.sigmoid(self.cls_align[level](plain)) + EPSILON).sqrt()
        return scores, self.head_reg_list[level](gated)
