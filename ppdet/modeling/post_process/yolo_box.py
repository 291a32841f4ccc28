"""Boxes and scores from the maps of an anchor-based YOLO head.

Legend: B batch, A anchors of a level, C classes, h w cells of a level, L predictions of all levels.
"""

from __future__ import annotations

from typing import Sequence, Tuple

import numpy as np
import paddle
import paddle.nn.functional as F

from ppdet.core.config.registry import register
from ppdet.modeling.heads.yolo_head import YOLOv3Head


@register
class YOLOBox:
    """PaddleDetection's decoder. Predictions are in the order level, anchor, row, column.

    Args:
        num_classes: accepted; the head knows it.
        conf_thresh: box and scores of predictions with lower objectness are 0.
        downsample_ratio: accepted; strides come from the head's levels.
        clip_bbox: lower corners to at least 0, upper corners to at most the image's last pixel.
        scale_x_y: factor on the sigmoid of a position.
    """

    __shared__ = ["num_classes"]

    def __init__(
        self,
        num_classes: int = 80,
        conf_thresh: float = 0.005,
        downsample_ratio: int = 32,
        clip_bbox: bool = True,
        scale_x_y: float = 1.0,
    ) -> None:
        self.conf_thresh, self.clip_bbox, self.scale_x_y = conf_thresh, clip_bbox, scale_x_y

    def __call__(
        self, head: YOLOv3Head, maps: Sequence[paddle.Tensor], image_hw: paddle.Tensor
    ) -> Tuple[paddle.Tensor, paddle.Tensor]:
        """Decode the maps of all levels.

        Args:
            head: gave the maps.
            maps: (B, channels, h, w) each.
            image_hw: (B, 2) height and width of the images whose pixels the boxes are in.

        Returns:
            boxes xyxy (B, L, 4), scores (B, C, L).
        """
        values, overlaps = head.split(maps)
        boxes, scores = [], []
        for i, (level, anchors, stride) in enumerate(zip(values, head.level_anchors, head.strides)):
            objects = head.objectness(level, None if overlaps is None else overlaps[i])
            kept = (objects >= self.conf_thresh).astype("float32").unsqueeze(2)  # (B, A, 1, h, w)
            found = self._boxes(level, anchors, stride) * kept
            probability = F.sigmoid(level[:, :, 5:]) * objects.unsqueeze(2) * kept
            boxes.append(found.transpose([0, 1, 3, 4, 2]).reshape([0, -1, 4]))
            scores.append(probability.transpose([0, 2, 1, 3, 4]).reshape([0, head.num_classes, -1]))
        sides = image_hw.flip([1]).unsqueeze(1)  # (B, 1, 2): width, height
        return self._in_image(paddle.concat(boxes, axis=1), sides), paddle.concat(scores, axis=2)

    def _boxes(self, level: paddle.Tensor, anchors: Sequence[Tuple[float, float]], stride: int) -> paddle.Tensor:
        """(B, A, 4, h, w) xyxy in shares of the image."""
        height, width = level.shape[3:]
        columns = np.arange(width, dtype=np.float32).reshape(1, 1, 1, width)
        rows = np.arange(height, dtype=np.float32).reshape(1, 1, height, 1)
        input_wh = stride * np.array([width, height], np.float32)
        sides = (np.array(anchors, np.float32) / input_wh).reshape(1, -1, 2, 1, 1)
        place = self.scale_x_y * F.sigmoid(level[:, :, :2]) - (self.scale_x_y - 1) / 2
        x = (place[:, :, 0] + paddle.to_tensor(columns)) / width
        y = (place[:, :, 1] + paddle.to_tensor(rows)) / height
        half = level[:, :, 2:4].exp() * paddle.to_tensor(sides) / 2
        half_w, half_h = half[:, :, 0], half[:, :, 1]
        return paddle.stack([x - half_w, y - half_h, x + half_w, y + half_h], axis=2)

    def _in_image(self, boxes: paddle.Tensor, sides: paddle.Tensor) -> paddle.Tensor:
        boxes = boxes * paddle.concat([sides, sides], axis=-1)
        if not self.clip_bbox:
            return boxes
        return paddle.concat([paddle.clip(boxes[..., :2], min=0.0), paddle.minimum(boxes[..., 2:], sides - 1)], axis=-1)
