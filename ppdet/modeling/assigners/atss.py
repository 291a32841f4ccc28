"""Adaptive training sample selection (Zhang et al., CVPR 2020).

Legend: B batch, G annotated boxes per image, L anchor points of all levels.
"""

from __future__ import annotations

from typing import Optional

import paddle
import paddle.nn.functional as F

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.assigners.assignment import AnchorGrid, Assignment, assign, put_ones, resolve_conflicts
from ppdet.modeling.assigners.overlap import aligned_iou, least_side_distance, pairwise_iou
from ppdet.modeling.ground_truth import GroundTruth

ANCHOR_EPSILON = 1e-10


@register
class ATSSAssigner:
    """Assigns a box to the anchors near its centre whose IoU exceeds mean plus standard deviation of all candidates' IoU.

    Candidates are the `topk` nearest anchors of each level. Anchors are squares around the points. The result depends only on
    the annotations, which suits the first epochs.

    Args:
        topk: candidates per level; all cells if a level has fewer.
        num_classes: shared; also the label of the background.
        force_gt_matching: also assign each box to the anchor of its largest IoU, unless two boxes share that anchor.
        eps: smallest distance of a point to the sides of its box.
        sm_use: PaddleDetection's key for rotated boxes; only false is supported.

    Raises:
        ConfigError: topk below 1, or sm_use.
    """

    __shared__ = ["num_classes"]

    def __init__(
        self,
        topk: int = 9,
        num_classes: int = 80,
        force_gt_matching: bool = False,
        eps: float = 1e-9,
        sm_use: bool = False,
    ) -> None:
        if topk < 1 or sm_use:
            raise ConfigError(f"ATSSAssigner: topk is a number of anchors from 1 on and sm_use false; given {topk}, {sm_use}")
        self.topk, self.num_classes, self.force_gt_matching, self.eps = topk, num_classes, force_gt_matching, eps

    @paddle.no_grad()
    def __call__(
        self, grid: AnchorGrid, anchors: paddle.Tensor, truth: GroundTruth, boxes: Optional[paddle.Tensor] = None
    ) -> Assignment:
        """Assign.

        Args:
            grid: anchor points.
            anchors: (L, 4) anchor boxes in input pixels.
            truth: annotated boxes.
            boxes: (B, L, 4) predicted boxes in input pixels.

        Returns:
            Quality is the IoU of predicted and annotated box, or 1 without `boxes`, times the score of the annotation.
        """
        iou = pairwise_iou(truth.boxes, anchors.unsqueeze(0), ANCHOR_EPSILON)
        inside = least_side_distance(grid.points, truth.boxes) > self.eps
        above = self._above_threshold(grid, truth.boxes, anchors, iou)
        chosen = above * inside.astype("float32") * truth.mask.unsqueeze(-1)
        chosen = resolve_conflicts(chosen, iou)
        if self.force_gt_matching:
            best = F.one_hot(iou.argmax(axis=-1), iou.shape[-1]) * truth.mask.unsqueeze(-1)
            alone = best.sum(axis=1, keepdim=True) == 1
            chosen = paddle.where(alone.expand_as(chosen), best, chosen)
        found = assign(chosen, truth, self.num_classes)
        if boxes is None:
            return found
        return found._replace(quality=found.trust * aligned_iou(found.boxes, boxes))

    def _above_threshold(
        self, grid: AnchorGrid, gt_boxes: paddle.Tensor, anchors: paddle.Tensor, iou: paddle.Tensor
    ) -> paddle.Tensor:
        """(B, G, L) mask of candidates whose IoU exceeds mean + standard deviation over all candidates of their box."""
        center = (gt_boxes[..., :2] + gt_boxes[..., 2:]).unsqueeze(2) / 2
        place = ((anchors[:, :2] + anchors[:, 2:]) / 2).reshape([1, 1, -1, 2])
        distance = ((center - place) ** 2).sum(axis=-1)
        nearest, start = [], 0
        for size in grid.level_sizes:
            part = distance[..., start : start + size]
            nearest.append(paddle.topk(part, min(self.topk, size), axis=-1, largest=False)[1] + start)
            start += size
        index = paddle.concat(nearest, axis=-1)
        overlap = paddle.take_along_axis(iou, index, axis=-1)
        mean = overlap.mean(axis=-1, keepdim=True)
        variance = ((overlap - mean) ** 2).sum(axis=-1, keepdim=True) / max(overlap.shape[-1] - 1, 1)
        threshold = mean + variance.sqrt()
        return put_ones(iou, index) * (iou > threshold).astype("float32")
