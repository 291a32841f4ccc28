"""PicoDet's first head (Yu et al., arXiv:2111.00902): classes and boxes from one convolution."""

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


@register
class PicoHead(PicoHeadBase):
    """Keys ``conv_feat.*``, ``head_cls{i}.*``, with separate stacks ``head_reg{i}.*``.

    Args:
        conv_feat: the convolutions in front.
        num_classes: number of classes.
        fpn_stride: input pixels per cell of each level.
        prior_prob: expected share of positive cells, sets the classifier's first bias.
        reg_max: largest distance in cells.
        feat_in_chan: channels `conv_feat` gives.
        nms: suppression of an exported graph.
        cell_offset: place of the anchor point within its cell.
        eval_size, nms_pre, loss_class, loss_qfl, loss_dfl, loss_bbox, assigner: PaddleDetection's keys for training; not used.
        dgqp_module: PaddleDetection's quality predictor; only None is supported.

    Raises:
        ConfigError: settings that contradict each other or are not supported.
    """

    __shared__ = ["num_classes", "eval_size"]
    __inject__ = ["conv_feat", "nms"]

    def __init__(
        self,
        conv_feat: PicoFeat,
        num_classes: int = 80,
        fpn_stride: Sequence[int] = (8, 16, 32),
        prior_prob: float = 0.01,
        reg_max: int = 16,
        feat_in_chan: int = 96,
        nms: Optional[MultiClassNMS] = None,
        cell_offset: float = 0.0,
        eval_size: Any = None,
        nms_pre: int = 1000,
        loss_class: Any = None,
        loss_dfl: Any = None,
        loss_bbox: Any = None,
        assigner: Any = None,
        dgqp_module: Any = None,
        loss_qfl: Any = None,
    ) -> None:
        super().__init__(conv_feat, num_classes, fpn_stride, reg_max, cell_offset, nms)
        if dgqp_module is not None:
            raise ConfigError("PicoHead: dgqp_module is not supported; remove the key")
        box_channels = 4 * (reg_max + 1)
        joined = num_classes + box_channels if conv_feat.share_cls_reg else num_classes
        bias = constant_attr(prior_bias(prior_prob))
        for level in range(len(fpn_stride)):
            self._add_conv(f"head_cls{level}", feat_in_chan, joined, bias)
            if not conv_feat.share_cls_reg:
                self._add_conv(f"head_reg{level}", feat_in_chan, box_channels, constant_attr(0.0))

    def _add_conv(self, name: str, given: int, wanted: int, bias: paddle.ParamAttr) -> None:
        self.add_sublayer(name, nn.Conv2D(given, wanted, 1, weight_attr=normal_attr(0.01), bias_attr=bias))

    def level_outputs(self, feature: paddle.Tensor, level: int) -> Tuple[paddle.Tensor, paddle.Tensor]:
        """One level (B, feat_in, h, w) -> scores in [0, 1] (B, C, h, w) and box logits (B, 4 R, h, w)."""
        for_classes, for_boxes = self.conv_feat(feature, level)
        classes = self._sub_layers[f"head_cls{level}"](for_classes)
        if self.conv_feat.share_cls_reg:
            classes, boxes = paddle.split(classes, [self.num_classes, 4 * (self.reg_max + 1)], axis=1)
        else:
            boxes = self._sub_layers[f"head_reg{level}"](for_boxes)
        return F.sigmoid(classes), boxes
