"""Task-aligned assignment (Feng et al., ICCV 2021, sec. 3.2).

Legend: B batch, G annotated boxes per image, L anchor points of all levels, C classes.
"""

from __future__ import annotations

import paddle

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.assigners.assignment import AnchorGrid, Assignment, assign, gather_rows, resolve_conflicts, topk_mask
from ppdet.modeling.assigners.overlap import least_side_distance, pairwise_iou
from ppdet.modeling.ground_truth import GroundTruth


@register
class TaskAlignedAssigner:
    """Assigns a box to the points in it with the best predictions: score^alpha x IoU^beta.

    Args:
        topk: number of points per box, over all levels.
        alpha: exponent of the score of the box's class.
        beta: exponent of the IoU of predicted and annotated box.
        eps: smallest distance of a point to the sides of its box; also guards the normalisation.
        is_close_gt: PaddleDetection's key for another recipe; only false is supported.
        num_classes: shared; also the label of the background.

    Raises:
        ConfigError: topk below 1, or is_close_gt.
    """

    __shared__ = ["num_classes"]

    def __init__(
        self,
        topk: int = 13,
        alpha: float = 1.0,
        beta: float = 6.0,
        eps: float = 1e-9,
        is_close_gt: bool = False,
        num_classes: int = 80,
    ) -> None:
        if topk < 1 or is_close_gt:
            raise ConfigError(
                f"TaskAlignedAssigner: topk is a number of points from 1 on and is_close_gt false; given {topk}, {is_close_gt}"
            )
        self.topk, self.alpha, self.beta, self.eps, self.num_classes = topk, alpha, beta, eps, num_classes

    @paddle.no_grad()
    def __call__(self, grid: AnchorGrid, scores: paddle.Tensor, boxes: paddle.Tensor, truth: GroundTruth) -> Assignment:
        """Assign.

        Args:
            grid: anchor points.
            scores: (B, L, C) predicted scores in [0, 1].
            boxes: (B, L, 4) predicted boxes in input pixels.
            truth: annotated boxes.

        Returns:
            Quality is the metric, scaled so that the best point of each box gets the largest IoU of that box's points, times
            the score of the annotation.
        """
        iou = pairwise_iou(truth.boxes, boxes)
        metric = self._metric(scores, iou, truth.labels)
        inside = (least_side_distance(grid.points, truth.boxes) > self.eps).astype("float32")
        chosen = topk_mask(metric * inside, self.topk) * inside * truth.mask.unsqueeze(-1)
        chosen = resolve_conflicts(chosen, iou)
        found = assign(chosen, truth, self.num_classes)
        metric = metric * chosen
        largest_iou = paddle.amax(iou * chosen, axis=[-1], keepdim=True)
        scaled = metric / (paddle.amax(metric, axis=[-1], keepdim=True) + self.eps) * largest_iou
        return found._replace(quality=paddle.amax(scaled, axis=[1]) * found.trust)

    def _metric(self, scores: paddle.Tensor, iou: paddle.Tensor, labels: paddle.Tensor) -> paddle.Tensor:
        """(B, G, L) alignment of each prediction with each box."""
        by_class = scores.transpose([0, 2, 1])
        of_class = by_class if scores.shape[-1] == 1 else gather_rows(by_class, labels)
        return of_class**self.alpha * iou**self.beta
