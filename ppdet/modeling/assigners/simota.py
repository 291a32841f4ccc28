"""Simplified optimal transport assignment (Ge et al., arXiv:2107.08430, sec. 2.1, with PicoDet's cost).

Legend: B batch, G annotated boxes per image, L anchor points of all levels, C classes.
"""

from __future__ import annotations

from typing import Tuple

import paddle

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.assigners.assignment import AnchorGrid, Assignment, assign, gather_rows, resolve_conflicts
from ppdet.modeling.assigners.overlap import aligned_iou, least_side_distance, pairwise_iou_giou
from ppdet.modeling.ground_truth import GroundTruth
from ppdet.modeling.losses.varifocal_loss import cross_entropy, varifocal

PENALTY = 1e8
"""Added cost of points that are outside the box or far from its centre."""
IMPOSSIBLE = 1e12
TIE_STEP = 1e-12


def first_of_equals(cost: paddle.Tensor) -> paddle.Tensor:
    """Break ties in favour of the first point: costs in double precision, increased along the last axis by less than a float32
    step.

    With the large penalty, float32 loses the rest of a cost. A box without points inside and near its centre then gets the
    first of many equal costs, as in PaddleDetection.
    """
    place = paddle.arange(cost.shape[-1], dtype="float64")
    return cost.astype("float64") * (1 + place * TIE_STEP)


@register
class SimOTAAssigner:
    """Assigns each box to its predictions of lowest cost; their number depends on the IoUs of the best ones.

    Args:
        center_radius: candidates lie in a square around the box's centre with this half side, in cells.
        candidate_topk: the number of points per box is the sum of this many largest IoUs, at least 1.
        iou_weight: weight of the cost 1 - GIoU (without `use_vfl`: of -log IoU).
        cls_weight: weight of the class cost.
        num_classes: shared; also the label of the background.
        use_vfl: class cost by varifocal loss, else by cross entropy.

    Raises:
        ConfigError: candidate_topk below 1.
    """

    __shared__ = ["num_classes"]

    def __init__(
        self,
        center_radius: float = 2.5,
        candidate_topk: int = 10,
        iou_weight: float = 3.0,
        cls_weight: float = 1.0,
        num_classes: int = 80,
        use_vfl: bool = True,
    ) -> None:
        if candidate_topk < 1:
            raise ConfigError(f"SimOTAAssigner: candidate_topk is a number of points from 1 on; given {candidate_topk}")
        self.center_radius, self.candidate_topk = center_radius, candidate_topk
        self.iou_weight, self.cls_weight = iou_weight, cls_weight
        self.num_classes, self.use_vfl = num_classes, use_vfl

    @paddle.no_grad()
    def __call__(self, grid: AnchorGrid, scores: paddle.Tensor, boxes: paddle.Tensor, truth: GroundTruth) -> Assignment:
        """Assign.

        Args:
            grid: anchor points.
            scores: (B, L, C) predicted class probabilities.
            boxes: (B, L, 4) predicted boxes in input pixels.
            truth: annotated boxes.

        Returns:
            Quality is the IoU of predicted and annotated box, times the score of the annotation.
        """
        cost, iou = self.cost(grid, scores, boxes, truth)
        width = min(self.candidate_topk, cost.shape[-1])
        wanted = paddle.clip(paddle.floor(paddle.topk(iou, width, axis=-1)[0].sum(axis=-1, keepdim=True)), min=1)
        cheapest, index = paddle.topk(first_of_equals(cost), width, axis=-1, largest=False)
        taken = (paddle.arange(width, dtype="float32") < wanted).astype("float32") * (cheapest < IMPOSSIBLE / 2).astype("float32")
        chosen = paddle.put_along_axis(paddle.zeros_like(cost), index, taken, axis=-1)
        found = assign(resolve_conflicts(chosen, -cost), truth, self.num_classes)
        return found._replace(quality=found.trust * aligned_iou(found.boxes, boxes))

    def cost(
        self, grid: AnchorGrid, scores: paddle.Tensor, boxes: paddle.Tensor, truth: GroundTruth
    ) -> Tuple[paddle.Tensor, paddle.Tensor]:
        """Costs (B, G, L), `IMPOSSIBLE` for points that are not candidates, and IoUs (B, G, L), 0 for those."""
        real = truth.mask.unsqueeze(-1) > 0
        inside = least_side_distance(grid.points, truth.boxes) > 0
        offset = (truth.boxes[..., :2] + truth.boxes[..., 2:]).unsqueeze(2) / 2 - grid.points
        reach = grid.strides.reshape([1, 1, -1]) * self.center_radius
        central = paddle.amax(offset.abs(), axis=[-1]) < reach
        candidate = ((inside | central) & real).any(axis=1, keepdim=True) & real
        iou, giou = pairwise_iou_giou(truth.boxes, boxes)
        box_cost = 1 - giou if self.use_vfl else -paddle.log(iou + 1e-7)
        cost = self.cls_weight * self._class_cost(scores, iou, truth.labels) + self.iou_weight * box_cost
        cost = cost + PENALTY * (1 - (inside & central).astype("float32"))
        outside = paddle.full_like(cost, IMPOSSIBLE)
        return paddle.where(candidate, cost, outside), iou * candidate.astype("float32")

    def _class_cost(self, scores: paddle.Tensor, iou: paddle.Tensor, labels: paddle.Tensor) -> paddle.Tensor:
        """(B, G, L) class loss of each prediction for each box, summed over the classes.

        Only the term of the box's class depends on the box, so the other terms are summed once per prediction.
        """
        zero = paddle.zeros_like(scores)
        absent = varifocal(scores, zero) if self.use_vfl else cross_entropy(scores, zero)
        of_class = gather_rows(scores.transpose([0, 2, 1]), labels)
        absent_of_class = gather_rows(absent.transpose([0, 2, 1]), labels)
        present = varifocal(of_class, iou) if self.use_vfl else cross_entropy(of_class, paddle.ones_like(of_class))
        return present + (absent.sum(axis=-1).unsqueeze(1) - absent_of_class)
