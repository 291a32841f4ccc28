"""Annotated boxes of a batch. Legend: B batch, G boxes per image after padding."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple

import paddle


class GroundTruth(NamedTuple):
    """Boxes of a batch, padded to the same number per image.

    Attributes:
        boxes: (B, G, 4) float32 xyxy in input pixels; zeros where padded.
        labels: (B, G) int64 class numbers; 0 where padded.
        mask: (B, G) float32, 1 for a box, 0 for padding.
        scores: (B, G) float32 trust in a box: 1 for an annotation, the detector's score for a pseudo label.
    """

    boxes: paddle.Tensor
    labels: paddle.Tensor
    mask: paddle.Tensor
    scores: paddle.Tensor

    @classmethod
    def from_batch(cls, batch: Mapping[str, Any]) -> GroundTruth:
        """Read ``gt_boxes`` (B, G, 4), ``gt_labels``, ``gt_mask`` and, if they are there, ``gt_scores`` (B, G).

        A batch without any box gets one padded row, so that no tensor is empty.
        """
        boxes = batch["gt_boxes"].astype("float32")
        size = boxes.shape[0]
        if boxes.shape[1] == 0:
            nothing = paddle.zeros([size, 1])
            return cls(paddle.zeros([size, 1, 4]), nothing.astype("int64"), nothing, nothing)
        mask = batch["gt_mask"].astype("float32").reshape([size, -1])
        scores = mask if batch.get("gt_scores") is None else batch["gt_scores"].astype("float32").reshape([size, -1])
        return cls(boxes, batch["gt_labels"].astype("int64").reshape([size, -1]), mask, scores)
