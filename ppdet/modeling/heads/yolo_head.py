"""The anchor-based head of YOLOv3 and PP-YOLOv2.

Legend: B batch, A anchors of a level, C classes, h w cells of a level.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

import paddle
import paddle.nn.functional as F
from paddle import ParamAttr, nn
from paddle.regularizer import L2Decay

from ppdet.core.config.registry import register
from ppdet.core.content_schema import list_of, number, summary
from ppdet.core.errors import ConfigError
from ppdet.modeling.ground_truth import GroundTruth
from ppdet.modeling.losses.yolov3_loss import YOLOv3Loss
from ppdet.modeling.shape_spec import ShapeSpec

ANCHORS = ((10, 13), (16, 30), (33, 23), (30, 61), (62, 45), (59, 119), (116, 90), (156, 198), (373, 326))
MASKS = ((6, 7, 8), (3, 4, 5), (0, 1, 2))
SMALLEST = 1e-7


@register
class YOLOv3Head(nn.Layer):
    """One 1x1 convolution per level; keys ``yolo_output.{i}.*``.

    Channels: with `iou_aware` first the IoU logits of the A anchors; then x, y, w, h, objectness and the C classes of each.

    Args:
        in_channels: channels of the levels, coarsest first; overridden by `input_shape`.
        anchors: width and height in pixels.
        anchor_masks: indices of each level's anchors.
        num_classes: C.
        loss: see `YOLOv3Loss`; None for a head that is not trained.
        iou_aware: predict the IoU of each box with its object.
        iou_aware_factor: f of the score objectness^(1 - f) IoU^f.
        data_format: "NCHW" only.
        input_shape: the levels, set by the detector.

    Raises:
        ConfigError: settings that contradict each other.
    """

    __shared__ = ["num_classes"]
    __inject__ = ["loss"]

    def __init__(
        self,
        in_channels: Sequence[int] = (1024, 512, 256),
        anchors: Sequence[Sequence[float]] = ANCHORS,
        anchor_masks: Sequence[Sequence[int]] = MASKS,
        num_classes: int = 80,
        loss: Optional[YOLOv3Loss] = None,
        iou_aware: bool = False,
        iou_aware_factor: float = 0.4,
        data_format: str = "NCHW",
        input_shape: Optional[Sequence[ShapeSpec]] = None,
    ) -> None:
        super().__init__()
        self.strides = [32 // 2**i for i in range(len(anchor_masks))]
        if input_shape is not None:
            in_channels, self.strides = [s.channels for s in input_shape], [s.stride for s in input_shape]
        _check(in_channels, anchors, anchor_masks, iou_aware_factor, data_format)
        if loss is not None and loss.downsample[: len(self.strides)] != self.strides:
            raise ConfigError(f"YOLOv3Loss: downsample is {loss.downsample}, but the neck's levels have strides {self.strides}")
        if loss is not None and loss.iou_aware_loss is not None and not iou_aware:
            raise ConfigError("YOLOv3Head: an iou_aware_loss needs iou_aware: true")
        self.num_classes, self.loss_function = num_classes, loss
        self.iou_aware, self.iou_aware_factor = iou_aware, iou_aware_factor
        self.level_anchors = [[(float(w), float(h)) for w, h in (anchors[i] for i in mask)] for mask in anchor_masks]
        channels = 5 + num_classes + iou_aware
        self.yolo_output = nn.LayerList(
            [
                nn.Conv2D(given, len(mask) * channels, 1, bias_attr=ParamAttr(regularizer=L2Decay(0.0)))
                for given, mask in zip(in_channels, anchor_masks)
            ]
        )

    def forward(self, features: Sequence[paddle.Tensor]) -> List[paddle.Tensor]:
        """Levels, coarsest first -> (B, A (5 + C), h, w) each, with `iou_aware` A (6 + C)."""
        return [conv(feature) for conv, feature in zip(self.yolo_output, features)]

    def split(self, maps: Sequence[paddle.Tensor]) -> Tuple[List[paddle.Tensor], Optional[List[paddle.Tensor]]]:
        """Maps of `forward` -> values (B, A, 5 + C, h, w) and IoU logits (B, A, h, w) or None, per level."""
        values, overlaps = [], []
        for level, anchors in zip(maps, self.level_anchors):
            count, (height, width) = len(anchors), level.shape[2:]
            if self.iou_aware:
                overlaps.append(level[:, :count])
                level = level[:, count:]
            values.append(level.reshape([-1, count, 5 + self.num_classes, height, width]))
        return values, overlaps if self.iou_aware else None

    def objectness(self, values: paddle.Tensor, overlap: Optional[paddle.Tensor]) -> paddle.Tensor:
        """(B, A, h, w) in [0, 1]: the probability of an object, with `iou_aware` tempered by the predicted IoU."""
        objects = F.sigmoid(values[:, :, 4])
        if overlap is None:
            return objects
        factor = self.iou_aware_factor
        return paddle.clip(objects, min=SMALLEST) ** (1 - factor) * paddle.clip(F.sigmoid(overlap), min=SMALLEST) ** factor

    def loss(self, maps: Sequence[paddle.Tensor], batch: Dict[str, Any]) -> Dict[str, paddle.Tensor]:
        """Losses of `forward`'s maps, see `YOLOv3Loss`.

        Args:
            maps: of `forward`.
            batch: "image" (B, 3, H, W), only for its size; boxes as in `GroundTruth.from_batch`; "target0", "target1", ...

        Raises:
            ConfigError: the head has no loss, or the batch has no targets.
        """
        if self.loss_function is None:
            raise ConfigError("YOLOv3Head: there is no loss to train with; add loss: YOLOv3Loss to its section")
        if "target0" not in batch:
            raise ConfigError("the YOLO loss needs targets: put Gt2YoloTarget last in batch_transforms of TrainReader")
        height, width = (float(side) for side in batch["image"].shape[2:])
        truth = GroundTruth.from_batch(batch).boxes / paddle.to_tensor([width, height, width, height])
        targets = [batch[f"target{i}"] for i in range(len(self.level_anchors))]
        values, overlaps = self.split(maps)
        return self.loss_function(values, overlaps, self.level_anchors, targets, truth)


def _check(
    channels: Sequence[int], anchors: Sequence[Any], masks: Sequence[Sequence[int]], factor: float, data_format: str
) -> None:
    wrong = summary(list_of(list_of(number(0), length=2), least=1)(anchors, "YOLOv3Head.anchors"))
    if wrong:
        raise ConfigError(f"{wrong}; an anchor is [width, height] in pixels")
    if len(channels) != len(masks):
        raise ConfigError(f"YOLOv3Head: anchor_masks has {len(masks)} levels, the neck gives {len(channels)}; they must agree")
    if any(not 0 <= i < len(anchors) for mask in masks for i in mask):
        raise ConfigError(f"YOLOv3Head: anchor_masks {list(masks)} must index the {len(anchors)} anchors [width, height]")
    if not 0 <= factor <= 1 or data_format != "NCHW":
        raise ConfigError(f"YOLOv3Head: iou_aware_factor is 0 to 1, data_format NCHW; given {factor} and {data_format!r}")
