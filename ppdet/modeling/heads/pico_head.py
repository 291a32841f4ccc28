"""PicoDet's first head (Yu et al., arXiv:2111.00902): classes and boxes from one convolution."""

from __future__ import annotations

from typing import Any, Optional, Sequence, Tuple

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.assigners.assignment import Assignment
from ppdet.modeling.assigners.simota import SimOTAAssigner
from ppdet.modeling.ground_truth import GroundTruth
from ppdet.modeling.heads.multiclass_nms import MultiClassNMS
from ppdet.modeling.heads.pico_base import PicoHeadBase, PicoPredictions, RawOutputs, mean_over_processes
from ppdet.modeling.heads.pico_feat import PicoFeat
from ppdet.modeling.initializer import constant_attr, normal_attr, prior_bias
from ppdet.modeling.losses.distribution_focal_loss import DistributionFocalLoss
from ppdet.modeling.losses.iou_loss import GIoULoss
from ppdet.modeling.losses.varifocal_loss import VarifocalLoss


@register
class PicoHead(PicoHeadBase):
    """Keys ``conv_feat.*``, ``head_cls{i}.*``, with separate stacks ``head_reg{i}.*``.

    Args:
        conv_feat: convolutions before the predictions.
        num_classes: number of classes.
        fpn_stride: input pixels per cell of each level.
        prior_prob: expected fraction of positive cells, for the classifier's initial bias.
        reg_max: largest distance in cells.
        feat_in_chan: output channels of `conv_feat`.
        nms: NMS of an exported graph.
        cell_offset: position of the anchor point in its cell.
        loss_class: loss of the class logits; default `VarifocalLoss`.
        loss_dfl: loss of the distributions of the sides; default weight .25.
        loss_bbox: loss of the boxes; default `GIoULoss` with weight 2.
        assigner: assigns predictions to boxes; default `SimOTAAssigner` with iou_weight 6.
        eval_size, nms_pre, loss_qfl: PaddleDetection's keys; not used.
        dgqp_module: PaddleDetection's quality predictor; only None is supported.

    Raises:
        ConfigError: settings that contradict each other or are not supported.
    """

    __shared__ = ["num_classes", "eval_size"]
    __inject__ = ["conv_feat", "nms", "loss_class", "loss_dfl", "loss_bbox", "assigner"]

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
        loss_class: Optional[VarifocalLoss] = None,
        loss_dfl: Optional[DistributionFocalLoss] = None,
        loss_bbox: Optional[GIoULoss] = None,
        assigner: Optional[SimOTAAssigner] = None,
        dgqp_module: Any = None,
        loss_qfl: Any = None,
    ) -> None:
        super().__init__(
            conv_feat, num_classes, fpn_stride, reg_max, cell_offset, nms,
            loss_bbox=loss_bbox or GIoULoss(loss_weight=2.0), loss_dfl=loss_dfl or DistributionFocalLoss(loss_weight=0.25),
            feat_in_chan=feat_in_chan,
        )  # fmt: skip
        if dgqp_module is not None:
            raise ConfigError("PicoHead: dgqp_module is not supported; remove the key")
        self.loss_class = loss_class or VarifocalLoss()
        self.assigner = assigner or SimOTAAssigner(iou_weight=6.0, num_classes=num_classes)
        if not self.loss_class.use_sigmoid:
            raise ConfigError("PicoHead: loss_class needs use_sigmoid: true, since this head is trained on logits")
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
        """One level (B, feat_in, h, w) -> class logits (B, C, h, w) and box logits (B, 4 R, h, w)."""
        for_classes, for_boxes = self.conv_feat(feature, level)
        classes = self._sub_layers[f"head_cls{level}"](for_classes)
        if self.conv_feat.share_cls_reg:
            return classes[:, : self.num_classes], classes[:, self.num_classes :]
        return classes, self._sub_layers[f"head_reg{level}"](for_boxes)

    def forward(self, features: Sequence[paddle.Tensor]) -> RawOutputs:
        """As `PicoHeadBase.forward`, with the class "logits" for the loss."""
        outputs = super().forward(features)
        outputs["logits"] = outputs["scores"]
        outputs["scores"] = [F.sigmoid(logits) for logits in outputs["logits"]]
        return outputs

    def assign(self, predictions: PicoPredictions, truth: GroundTruth, epoch: int) -> Assignment:
        """Assign by `assigner` in every epoch."""
        return self.assigner(predictions.grid, predictions.scores.detach(), predictions.boxes_in_pixels(), truth)

    def class_loss(
        self, predictions: PicoPredictions, found: Assignment
    ) -> Tuple[paddle.Tensor, paddle.Tensor, paddle.Tensor]:
        """Class loss per positive point; box losses are weighted by the predicted class scores.

        The divisors are averaged over the processes of a run, which PaddleDetection intends but does not do.
        """
        assert predictions.class_logits is not None
        positive = found.positive.astype("float32")
        count = paddle.clip(mean_over_processes(positive.sum()), min=1.0)
        classes = self.loss_class(predictions.class_logits, found.class_targets(self.num_classes), count)
        weight = paddle.amax(predictions.scores.detach(), axis=[-1]) * found.trust
        divisor = paddle.clip(mean_over_processes((weight * positive).sum()), min=1.0)
        return classes, weight, divisor
