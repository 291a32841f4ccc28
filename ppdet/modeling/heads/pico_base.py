"""Base of PicoDet's two heads: keys, levels, losses of boxes, and decoding.

Legend: B batch, C classes, l cells of one level, L cells of all levels, R = reg_max + 1 bins.
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import paddle
from paddle import nn

from ppdet.core.errors import ConfigError
from ppdet.modeling.assigners.assignment import AnchorGrid, Assignment
from ppdet.modeling.ground_truth import GroundTruth
from ppdet.modeling.heads.box_distribution import DistributionProject, anchor_points
from ppdet.modeling.heads.multiclass_nms import MultiClassNMS
from ppdet.modeling.heads.pico_feat import PicoFeat
from ppdet.modeling.initializer import constant_attr
from ppdet.modeling.losses.distribution_focal_loss import DistributionFocalLoss
from ppdet.modeling.losses.iou_loss import GIoULoss

RawOutputs = Dict[str, List[paddle.Tensor]]

LARGEST_DISTANCE_GAP = 0.1
"""Distance targets are clipped to this far below reg_max, so that both neighbouring integers have a bin."""


class PicoPredictions(NamedTuple):
    """A head's outputs over all levels, for its losses.

    Attributes:
        grid: the anchor points.
        scores: (B, L, C) in [0, 1].
        class_logits: (B, L, C), only from the head that is trained on logits.
        box_logits: (B, L, 4 R).
        boxes: (B, L, 4) xyxy in cells of the point's level.
    """

    grid: AnchorGrid
    scores: paddle.Tensor
    class_logits: Optional[paddle.Tensor]
    box_logits: paddle.Tensor
    boxes: paddle.Tensor

    def boxes_in_pixels(self) -> paddle.Tensor:
        """(B, L, 4) without gradients."""
        return self.boxes.detach() * self.grid.strides


def mean_over_processes(value: paddle.Tensor) -> paddle.Tensor:
    """Mean of a number over the processes of a run, without gradients."""
    value = value.detach()
    if not paddle.distributed.is_initialized() or paddle.distributed.get_world_size() == 1:
        return value
    value = value.clone()
    paddle.distributed.all_reduce(value)
    return value / paddle.distributed.get_world_size()


class _ScaleReg(nn.Layer):
    """Unused factor per level in published checkpoints; key ``scale_reg``."""

    def __init__(self) -> None:
        super().__init__()
        self.scale_reg = self.create_parameter([1], attr=constant_attr(1.0), dtype="float32")


class PicoHeadBase(nn.Layer):
    """Base class; subclasses define `level_outputs`, `assign` and `class_loss`.

    Args:
        conv_feat: convolutions before the predictions.
        num_classes: C.
        fpn_stride: input pixels per cell of each level.
        reg_max: largest distance of a side, in cells.
        cell_offset: position of the anchor point in its cell.
        nms: NMS of an exported graph.
        loss_bbox, loss_dfl: losses of the boxes.
        feat_in_chan: output channels of `conv_feat`, which PaddleDetection's YAML repeats; only checked.

    Raises:
        ConfigError: number of levels differs between `conv_feat` and `fpn_stride`, channels differ, or no `reg_max`.
    """

    def __init__(
        self,
        conv_feat: PicoFeat,
        num_classes: int,
        fpn_stride: Sequence[int],
        reg_max: int,
        cell_offset: float,
        nms: Optional[MultiClassNMS],
        loss_bbox: GIoULoss,
        loss_dfl: DistributionFocalLoss,
        feat_in_chan: int,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        if feat_in_chan != conv_feat.channels:
            text = f"feat_in_chan is {feat_in_chan}, but conv_feat.feat_out is {conv_feat.channels}; they must agree"
            raise ConfigError(f"{name}: {text}")
        if reg_max < 1:
            raise ConfigError(f"{name}: reg_max is {reg_max}; a side of a box is at least one cell long, so give 1 or more")
        if conv_feat.levels != len(fpn_stride):
            raise ConfigError(
                f"{name}: fpn_stride {list(fpn_stride)} has {len(fpn_stride)} levels, but conv_feat's "
                f"num_fpn_stride is {conv_feat.levels}; they must agree"
            )
        self.num_classes = num_classes
        self.fpn_stride = list(fpn_stride)
        self.reg_max = reg_max
        self.cell_offset = cell_offset
        self.nms = nms
        self.loss_bbox, self.loss_dfl = loss_bbox, loss_dfl
        self._grids: Dict[Tuple[int, int], AnchorGrid] = {}
        self.conv_feat = conv_feat
        for level in range(len(fpn_stride)):
            self.add_sublayer(f"p{level + 3}_feat", _ScaleReg())
        self.distribution_project = DistributionProject(reg_max)

    def level_outputs(self, feature: paddle.Tensor, level: int) -> Tuple[paddle.Tensor, paddle.Tensor]:
        """One level (B, feat_in, h, w) -> scores in [0, 1] (B, C, h, w) and box logits (B, 4 R, h, w)."""
        raise TypeError(f"{type(self).__name__} must define level_outputs")

    def forward(self, features: Sequence[paddle.Tensor]) -> RawOutputs:
        """Levels, finest first -> {"scores": [(B, l, C), ...], "boxes": [(B, l, 4 R), ...]}."""
        outputs: RawOutputs = {"scores": [], "boxes": []}
        for level, feature in enumerate(features):
            scores, boxes = self.level_outputs(feature, level)
            outputs["scores"].append(scores.flatten(2).transpose([0, 2, 1]))
            outputs["boxes"].append(boxes.flatten(2).transpose([0, 2, 1]))
        return outputs

    def decode(self, outputs: RawOutputs, input_hw: Tuple[int, int]) -> Tuple[paddle.Tensor, paddle.Tensor]:
        """Boxes and scores of all levels.

        Args:
            outputs: of `forward`.
            input_hw: height and width of the network's input.

        Returns:
            boxes xyxy (B, L, 4) in input pixels, scores (B, C, L).
        """
        points, strides = anchor_points(input_hw, self.fpn_stride, self.cell_offset)
        sides = self.distribution_project(paddle.concat(outputs["boxes"], axis=1)) * paddle.to_tensor(strides)
        left_top, right_bottom = paddle.split(sides, 2, axis=-1)
        centres = paddle.to_tensor(points)
        boxes = paddle.concat([centres - left_top, centres + right_bottom], axis=-1)
        return boxes, paddle.concat(outputs["scores"], axis=1).transpose([0, 2, 1])

    def loss(self, outputs: RawOutputs, batch: Dict[str, Any]) -> Dict[str, paddle.Tensor]:
        """Losses of `forward`'s outputs.

        Args:
            outputs: of `forward`.
            batch: "image" (B, 3, H, W), only for its size; boxes as in `GroundTruth.from_batch`; "epoch", from 0.

        Returns:
            "loss_vfl" of the classes, "loss_bbox" (GIoU) and "loss_dfl" of the boxes, and their sum "loss".
        """
        height, width = batch["image"].shape[2:]
        predictions = self._predictions(outputs, (int(height), int(width)))
        found = self.assign(predictions, GroundTruth.from_batch(batch), int(batch.get("epoch", 0)))
        classes, weight, divisor = self.class_loss(predictions, found)
        giou, dfl = self.box_losses(predictions, found, weight, divisor)
        return {"loss": classes + giou + dfl, "loss_vfl": classes, "loss_bbox": giou, "loss_dfl": dfl}

    def assign(self, predictions: PicoPredictions, truth: GroundTruth, epoch: int) -> Assignment:
        """Assign predictions to boxes, by the epoch's assigner."""
        raise TypeError(f"{type(self).__name__} must define assign")

    def class_loss(
        self, predictions: PicoPredictions, found: Assignment
    ) -> Tuple[paddle.Tensor, paddle.Tensor, paddle.Tensor]:
        """Loss of the classes; weight (B, L) and divisor of the box losses, without gradients."""
        raise TypeError(f"{type(self).__name__} must define class_loss")

    def box_losses(
        self, predictions: PicoPredictions, found: Assignment, weight: paddle.Tensor, divisor: paddle.Tensor
    ) -> Tuple[paddle.Tensor, paddle.Tensor]:
        """GIoU and distribution focal loss of the positive points, in units of cells."""
        logits, grid = predictions.box_logits.reshape([-1, 4 * (self.reg_max + 1)]), predictions.grid
        rows = paddle.nonzero(found.positive.reshape([-1])).reshape([-1])
        if rows.shape[0] == 0:  # a batch without boxes has no box loss; the sum keeps the parameters in the graph
            nothing = logits.sum() * 0.0
            return nothing, nothing
        cells = rows % found.positive.shape[1]
        stride, point = paddle.gather(grid.strides, cells), paddle.gather(grid.points, cells)
        target, centre = paddle.gather(found.boxes.reshape([-1, 4]), rows) / stride, point / stride
        boxes = paddle.gather(predictions.boxes.reshape([-1, 4]), rows)
        weight = paddle.gather(weight.reshape([-1]), rows)
        giou = (self.loss_bbox(boxes, target) * weight).sum() / divisor
        distances = paddle.concat([centre - target[:, :2], target[:, 2:] - centre], axis=-1)
        distances = paddle.clip(distances, 0, self.reg_max - LARGEST_DISTANCE_GAP)
        sides = paddle.gather(logits, rows).reshape([-1, self.reg_max + 1])
        # mean over the four sides of each positive point
        dfl = self.loss_dfl(sides, distances.reshape([-1]), weight.repeat_interleave(4), divisor * 4.0)
        return giou, dfl

    def _predictions(self, outputs: RawOutputs, input_hw: Tuple[int, int]) -> PicoPredictions:
        grid = self._grid(input_hw)
        logits = paddle.concat(outputs["boxes"], axis=1)
        sides = self.distribution_project(logits)
        centre = grid.points / grid.strides
        boxes = paddle.concat([centre - sides[..., :2], centre + sides[..., 2:]], axis=-1)
        scores = paddle.concat(outputs["scores"], axis=1)
        class_logits = paddle.concat(outputs["logits"], axis=1) if "logits" in outputs else None
        return PicoPredictions(grid, scores, class_logits, logits, boxes)

    def _grid(self, input_hw: Tuple[int, int]) -> AnchorGrid:
        if input_hw not in self._grids:
            points, strides = anchor_points(input_hw, self.fpn_stride, self.cell_offset)
            sizes = [int((strides == stride).sum()) for stride in self.fpn_stride]
            self._grids[input_hw] = AnchorGrid(paddle.to_tensor(points), paddle.to_tensor(strides), sizes)
        return self._grids[input_hw]
