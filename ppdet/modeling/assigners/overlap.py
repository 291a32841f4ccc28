"""Overlap of boxes as tensors. Legend: B batch, G annotated boxes, L predictions; boxes are xyxy."""

from __future__ import annotations

from typing import Tuple

import paddle
import paddle.nn.functional as F

EPSILON = 1e-9


def pairwise_iou(gt_boxes: paddle.Tensor, boxes: paddle.Tensor, eps: float = EPSILON) -> paddle.Tensor:
    """Intersection over union of each annotated box with each other box.

    Args:
        gt_boxes: (B, G, 4).
        boxes: (B, L, 4), or (1, L, 4) for the same boxes in every image.
        eps: added to the union.

    Returns:
        (B, G, L).
    """
    inter, union = _pairwise_areas(gt_boxes, boxes)
    return inter / (union + eps)


def pairwise_iou_giou(gt_boxes: paddle.Tensor, boxes: paddle.Tensor, eps: float = EPSILON) -> Tuple[paddle.Tensor, paddle.Tensor]:
    """IoU as in `pairwise_iou`, and generalised IoU (Rezatofighi et al., CVPR 2019), both (B, G, L)."""
    inter, union = _pairwise_areas(gt_boxes, boxes)
    gx1, gy1, gx2, gy2 = _columns(gt_boxes, 2)
    x1, y1, x2, y2 = _columns(boxes, 1)
    width = paddle.maximum(gx2, x2) - paddle.minimum(gx1, x1)
    hull = width * (paddle.maximum(gy2, y2) - paddle.minimum(gy1, y1)) + eps
    iou = inter / (union + eps)
    return iou, iou - (hull - union) / hull


def aligned_iou(a: paddle.Tensor, b: paddle.Tensor, eps: float = EPSILON) -> paddle.Tensor:
    """IoU of boxes row by row: (..., 4) and (..., 4) -> (...)."""
    ax1, ay1, ax2, ay2 = paddle.unbind(a, axis=-1)
    bx1, by1, bx2, by2 = paddle.unbind(b, axis=-1)
    width = F.relu(paddle.minimum(ax2, bx2) - paddle.maximum(ax1, bx1))
    inter = width * F.relu(paddle.minimum(ay2, by2) - paddle.maximum(ay1, by1))
    area_a, area_b = F.relu(ax2 - ax1) * F.relu(ay2 - ay1), F.relu(bx2 - bx1) * F.relu(by2 - by1)
    return inter / (area_a + area_b - inter + eps)


def least_side_distance(points: paddle.Tensor, boxes: paddle.Tensor) -> paddle.Tensor:
    """Distance of each point to the nearest side of each box, negative outside: (L, 2), (B, G, 4) -> (B, G, L)."""
    x1, y1, x2, y2 = _columns(boxes, 2)
    x, y = (column.reshape([1, 1, -1]) for column in paddle.unbind(points, axis=-1))
    return paddle.minimum(paddle.minimum(x - x1, x2 - x), paddle.minimum(y - y1, y2 - y))


def _pairwise_areas(gt_boxes: paddle.Tensor, boxes: paddle.Tensor) -> Tuple[paddle.Tensor, paddle.Tensor]:
    """Areas of intersection and union, (B, G, L)."""
    gx1, gy1, gx2, gy2 = _columns(gt_boxes, 2)
    x1, y1, x2, y2 = _columns(boxes, 1)
    inter = F.relu(paddle.minimum(gx2, x2) - paddle.maximum(gx1, x1))
    inter = inter * F.relu(paddle.minimum(gy2, y2) - paddle.maximum(gy1, y1))
    areas = F.relu(gx2 - gx1) * F.relu(gy2 - gy1) + F.relu(x2 - x1) * F.relu(y2 - y1)
    return inter, areas - inter


def _columns(boxes: paddle.Tensor, axis: int) -> list[paddle.Tensor]:
    """The four coordinates, each with a new axis."""
    return [column.unsqueeze(axis) for column in paddle.unbind(boxes, axis=-1)]
