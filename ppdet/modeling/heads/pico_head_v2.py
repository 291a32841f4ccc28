"""PicoDet's second head (PaddleDetection 2.4): gated features, and scores aligned with the quality of the boxes."""

from __future__ import annotations

from typing import Any, Optional, Sequence, Tuple

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.assigners.assignment import Assignment
from ppdet.modeling.assigners.atss import ATSSAssigner
from ppdet.modeling.assigners.task_aligned import TaskAlignedAssigner
from ppdet.modeling.ground_truth import GroundTruth
from ppdet.modeling.heads.multiclass_nms import MultiClassNMS
from ppdet.modeling.heads.pico_base import PicoHeadBase, PicoPredictions, mean_over_processes
from ppdet.modeling.heads.pico_feat import PicoFeat
from ppdet.modeling.initializer import constant_attr, normal_attr, prior_bias
from ppdet.modeling.layers.separable import DepthPointConv
from ppdet.modeling.losses.distribution_focal_loss import DistributionFocalLoss
from ppdet.modeling.losses.iou_loss import GIoULoss
from ppdet.modeling.losses.varifocal_loss import VarifocalLoss

ALIGN_KERNEL = 5
EPSILON = 1e-9


@register
class PicoHeadV2(PicoHeadBase):
    """Score = sqrt(sigmoid(class) sigmoid(alignment)), in the spirit of Feng et al., ICCV 2021 (TOOD).

    Keys ``conv_feat.*``, ``head_cls_list.{i}.*`` and the same tensors again as ``head_cls{i}.*``, likewise ``reg``,
    ``cls_align.{i}.*``.

    Args:
        conv_feat: convolutions before the predictions, with `use_se`.
        num_classes: number of classes.
        fpn_stride: input pixels per cell of each level.
        prior_prob: expected fraction of positive cells, for the classifier's initial bias.
        use_align_head: False for scores from the class only.
        reg_max: largest distance in cells.
        feat_in_chan: output channels of `conv_feat`.
        nms: NMS of an exported graph.
        cell_offset: position of the anchor point in its cell.
        act: activation of the alignment branch.
        loss_class: loss of the class scores; default `VarifocalLoss` with use_sigmoid false.
        loss_dfl: loss of the distributions of the sides; default weight .5.
        loss_bbox: loss of the boxes; default `GIoULoss` with weight 2.5.
        static_assigner_epoch: number of first epochs with `static_assigner`.
        static_assigner: assigns predictions to boxes in the first epochs; default `ATSSAssigner`.
        assigner: assigns predictions to boxes afterwards; default `TaskAlignedAssigner`.
        grid_cell_scale: side of an anchor box in cells, for the static assigner.
        eval_size, nms_pre: PaddleDetection's keys; not used.

    Raises:
        ConfigError: settings that contradict each other.
    """

    __shared__ = ["num_classes", "eval_size"]
    __inject__ = ["conv_feat", "nms", "loss_class", "loss_dfl", "loss_bbox", "static_assigner", "assigner"]

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
        loss_class: Optional[VarifocalLoss] = None,
        loss_dfl: Optional[DistributionFocalLoss] = None,
        loss_bbox: Optional[GIoULoss] = None,
        static_assigner_epoch: int = 60,
        static_assigner: Optional[ATSSAssigner] = None,
        assigner: Optional[TaskAlignedAssigner] = None,
        grid_cell_scale: float = 5.0,
    ) -> None:
        super().__init__(
            conv_feat, num_classes, fpn_stride, reg_max, cell_offset, nms,
            loss_bbox=loss_bbox or GIoULoss(loss_weight=2.5), loss_dfl=loss_dfl or DistributionFocalLoss(loss_weight=0.5),
            feat_in_chan=feat_in_chan,
        )  # fmt: skip
        if not conv_feat.use_se:
            raise ConfigError("PicoHeadV2: conv_feat needs use_se: true")
        self.loss_class = loss_class or VarifocalLoss(use_sigmoid=False)
        if self.loss_class.use_sigmoid:
            raise ConfigError("PicoHeadV2: loss_class needs use_sigmoid: false, since this head is trained on scores")
        self.static_assigner_epoch, self.grid_cell_scale = static_assigner_epoch, grid_cell_scale
        self.static_assigner = static_assigner or ATSSAssigner(num_classes=num_classes)
        self.assigner = assigner or TaskAlignedAssigner(num_classes=num_classes)
        levels = range(len(fpn_stride))
        self.use_align_head = use_align_head
        bias = constant_attr(prior_bias(prior_prob))
        self.head_cls_list = nn.LayerList([self._conv(feat_in_chan, num_classes, bias) for _ in levels])
        box_channels = 4 * (reg_max + 1)
        self.head_reg_list = nn.LayerList([self._conv(feat_in_chan, box_channels, constant_attr(0.0)) for _ in levels])
        if use_align_head:
            self.cls_align = nn.LayerList([DepthPointConv(feat_in_chan, 1, ALIGN_KERNEL, act=act, act_out=False) for _ in levels])
        for level in levels:  # published checkpoints contain these tensors under both names
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

    def assign(self, predictions: PicoPredictions, truth: GroundTruth, epoch: int) -> Assignment:
        """Assign by `static_assigner` in the first epochs, by `assigner` afterwards."""
        grid, boxes = predictions.grid, predictions.boxes_in_pixels()
        if epoch < self.static_assigner_epoch:
            return self.static_assigner(grid, grid.squares(self.grid_cell_scale), truth, boxes)
        return self.assigner(grid, predictions.scores.detach(), boxes, truth)

    def class_loss(
        self, predictions: PicoPredictions, found: Assignment
    ) -> Tuple[paddle.Tensor, paddle.Tensor, paddle.Tensor]:
        """Class loss. All losses are divided by the sum of the target scores, and box losses are weighted by those scores.

        The sum is averaged over processes and at least 1, as in PaddleDetection with several processes; with one process it
        divides by 0 for a batch without boxes.
        """
        divisor = paddle.clip(mean_over_processes(found.quality.sum()), min=1.0)
        classes = self.loss_class(predictions.scores, found.class_targets(self.num_classes), divisor)
        return classes, found.quality, divisor
