"""Loss of an anchor-based YOLO head (Redmon and Farhadi, arXiv:1804.02767, with PP-YOLO's additions, arXiv:2007.12099).

Legend: B batch, A anchors of a level, C classes, h w cells of a level, G annotated boxes per image, P positive predictions.
"""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import paddle
import paddle.nn.functional as F

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.losses.iou_loss import IouAwareLoss, IouLoss, paired_iou

Anchors = Sequence[Tuple[float, float]]
LARGEST_LOGIT = 20.0
"""Of a side where only the overlap with annotations is asked; beyond it exp gives boxes without a meaning, and then inf."""
MOST_SMOOTHING = 1 / 40
TERMS = ("loss_xy", "loss_wh", "loss_iou", "loss_iou_aware", "loss_obj", "loss_cls")


class _Level(NamedTuple):
    """Predictions and targets of one level.

    Attributes:
        values: (B, A, 5 + C, h, w) logits x, y, w, h, objectness, classes.
        iou_logits: (B, A, h, w), None without IoU prediction.
        anchors: width and height in pixels.
        stride: pixels per cell.
        target: (B, A, 6 + C, h, w), see `Gt2YoloTarget`.
    """

    values: paddle.Tensor
    iou_logits: Optional[paddle.Tensor]
    anchors: Anchors
    stride: int
    target: paddle.Tensor


@register
class YOLOv3Loss:
    """Position, size and classes of positive predictions, objectness of all, summed over each image.

    Args:
        num_classes: C.
        ignore_thresh: a prediction without target counts as background only if it overlaps no annotated box by more (IoU).
        label_smooth: class targets of 1 - d and d, d = min(1 / C, 1 / 40), instead of 1 and 0.
        downsample: pixels per cell of each level.
        scale_x_y: factor on the sigmoid of a position, so that it reaches the border of its cell.
        iou_loss, iou_aware_loss: further losses; None for none.

    Raises:
        ConfigError: a threshold outside 0..1.
    """

    __shared__ = ["num_classes"]
    __inject__ = ["iou_loss", "iou_aware_loss"]

    def __init__(
        self,
        num_classes: int = 80,
        ignore_thresh: float = 0.7,
        label_smooth: bool = False,
        downsample: Sequence[int] = (32, 16, 8),
        scale_x_y: float = 1.0,
        iou_loss: Optional[IouLoss] = None,
        iou_aware_loss: Optional[IouAwareLoss] = None,
    ) -> None:
        if not 0 <= ignore_thresh <= 1:
            raise ConfigError(f"YOLOv3Loss: ignore_thresh is an IoU from 0 to 1; given {ignore_thresh}")
        self.num_classes, self.ignore_thresh, self.label_smooth = num_classes, ignore_thresh, label_smooth
        self.downsample, self.scale_x_y = list(downsample), scale_x_y
        self.iou_loss, self.iou_aware_loss = iou_loss, iou_aware_loss

    def __call__(
        self,
        values: Sequence[paddle.Tensor],
        iou_logits: Optional[Sequence[paddle.Tensor]],
        anchors: Sequence[Anchors],
        targets: Sequence[paddle.Tensor],
        truth: paddle.Tensor,
    ) -> Dict[str, paddle.Tensor]:
        """The losses and their sum "loss".

        Args:
            values: (B, A, 5 + C, h, w) logits per level.
            iou_logits: (B, A, h, w) per level; None without IoU prediction.
            anchors: A pairs of width and height in pixels per level.
            targets: (B, A, 6 + C, h, w) per level, see `Gt2YoloTarget`.
            truth: (B, G, 4) annotated boxes xyxy as shares of the image; zeros where padded.
        """
        sums: Dict[str, List[paddle.Tensor]] = {}
        for i, level_anchors in enumerate(anchors):
            iou = None if iou_logits is None else iou_logits[i]
            level = _Level(values[i], iou, level_anchors, self.downsample[i], targets[i].astype("float32"))
            for name, value in self._level_losses(level, truth).items():
                sums.setdefault(name, []).append(value / values[i].shape[0])
        losses = {name: sum(parts[1:], parts[0]) for name, parts in sums.items()}
        return {"loss": sum(list(losses.values())[1:], next(iter(losses.values()))), **losses}

    def _level_losses(self, level: _Level, truth: paddle.Tensor) -> Dict[str, paddle.Tensor]:
        predicted, target = level.values.transpose([0, 1, 3, 4, 2]), level.target.transpose([0, 1, 3, 4, 2])
        trust, objectness = target[..., 5], predicted[..., 4]
        negative = (trust <= 0) & (self._overlap(level, predicted.detach(), truth) <= self.ignore_thresh)
        weight = trust + negative.astype("float32")
        losses = {name: objectness.sum() * 0.0 for name in TERMS if self._has(name)}  # keeps a level without boxes in the graph
        losses["loss_obj"] = (_cross_entropy(objectness, (trust > 0).astype("float32")) * weight).sum()
        cells = paddle.nonzero(trust > 0)  # (P, 4): image, anchor, row, column
        if cells.shape[0] > 0:
            iou_logits = None if level.iou_logits is None else paddle.gather_nd(level.iou_logits, cells)
            rows, wanted = paddle.gather_nd(predicted, cells), paddle.gather_nd(target, cells)
            losses.update(self._positive_losses(level, cells, rows, iou_logits, wanted))
        return losses

    def _positive_losses(
        self,
        level: _Level,
        cells: paddle.Tensor,
        rows: paddle.Tensor,
        iou_logits: Optional[paddle.Tensor],
        wanted: paddle.Tensor,
    ) -> Dict[str, paddle.Tensor]:
        trust = wanted[:, 5]
        weight = wanted[:, 4] * trust
        losses: Dict[str, paddle.Tensor] = {}
        if self.scale_x_y == 1:
            xy = _cross_entropy(rows[:, :2], wanted[:, :2])
        else:
            xy = (self._place(rows[:, :2]) - wanted[:, :2]).abs()
        losses["loss_xy"] = (xy.sum(axis=1) * weight).sum()
        losses["loss_wh"] = ((rows[:, 2:4] - wanted[:, 2:4]).abs().sum(axis=1) * weight).sum()
        size = paddle.to_tensor(list(level.values.shape[3:])[::-1], dtype="float32")  # w, h
        corner = cells[:, 2:].flip([1]).astype("float32")  # column, row
        anchors = paddle.gather(paddle.to_tensor(level.anchors, dtype="float32"), cells[:, 1]) / level.stride
        boxes = _boxes((corner + self._place(rows[:, :2])) / size, rows[:, 2:4].exp() * anchors / size)
        truth = _boxes((corner + wanted[:, :2]) / size, wanted[:, 2:4].exp() * anchors / size)
        if self.iou_loss is not None:
            losses["loss_iou"] = (self.iou_loss(boxes, truth) * weight).sum()
        if self.iou_aware_loss is not None:
            assert iou_logits is not None, "YOLOv3Head checks that it predicts the IoU"
            losses["loss_iou_aware"] = (self.iou_aware_loss(iou_logits, boxes, truth) * trust).sum()
        losses["loss_cls"] = (_cross_entropy(rows[:, 5:], self._class_targets(wanted[:, 6:])).sum(axis=1) * trust).sum()
        return losses

    def _has(self, name: str) -> bool:
        given = {"loss_iou": self.iou_loss, "loss_iou_aware": self.iou_aware_loss}
        return given.get(name, True) is not None

    def _place(self, logits: paddle.Tensor) -> paddle.Tensor:
        return self.scale_x_y * F.sigmoid(logits) - (self.scale_x_y - 1) / 2

    def _class_targets(self, classes: paddle.Tensor) -> paddle.Tensor:
        if not self.label_smooth:
            return classes
        share = min(1 / self.num_classes, MOST_SMOOTHING)
        return classes * (1 - 2 * share) + share

    def _overlap(self, level: _Level, predicted: paddle.Tensor, truth: paddle.Tensor) -> paddle.Tensor:
        """(B, A, h, w) largest IoU of each predicted box with an annotated one, which gets no gradient."""
        size, count, height, width, _ = predicted.shape
        grid = paddle.to_tensor([width, height], dtype="float32")
        rows, columns = paddle.meshgrid(paddle.arange(height), paddle.arange(width))
        corner = paddle.stack([columns, rows], axis=-1).astype("float32")  # (h, w, 2)
        anchors = paddle.to_tensor(level.anchors, dtype="float32").reshape([1, count, 1, 1, 2]) / level.stride
        sides = paddle.clip(predicted[..., 2:4], max=LARGEST_LOGIT).exp() * anchors / grid
        boxes = _boxes((corner + self._place(predicted[..., :2])) / grid, sides)
        overlap = paired_iou(boxes.reshape([size, -1, 1, 4]), truth.unsqueeze(1))
        return overlap.max(axis=-1).reshape([size, count, height, width])


def _boxes(centre: paddle.Tensor, sides: paddle.Tensor) -> paddle.Tensor:
    return paddle.concat([centre - sides / 2, centre + sides / 2], axis=-1)


def _cross_entropy(logits: paddle.Tensor, target: paddle.Tensor) -> paddle.Tensor:
    return F.binary_cross_entropy_with_logits(logits, target, reduction="none")
