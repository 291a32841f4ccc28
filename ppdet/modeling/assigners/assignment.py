"""The result of an assignment, and steps that the assigners share.

Legend: B batch, G annotated boxes per image, L anchor points of all levels, C classes.
"""

from __future__ import annotations

from typing import NamedTuple, Sequence

import paddle
import paddle.nn.functional as F

from ppdet.modeling.ground_truth import GroundTruth


class AnchorGrid(NamedTuple):
    """Anchor points for an input size; level by level, rows from the top.

    Attributes:
        points: (L, 2) float32 xy in input pixels.
        strides: (L, 1) float32 input pixels per cell of the point's level.
        level_sizes: number of points of each level.
    """

    points: paddle.Tensor
    strides: paddle.Tensor
    level_sizes: Sequence[int]

    def squares(self, cells: float) -> paddle.Tensor:
        """(L, 4) boxes around the points whose sides are `cells` cells of the point's level."""
        half = self.strides * (cells / 2)
        return paddle.concat([self.points - half, self.points + half], axis=-1)


class Assignment(NamedTuple):
    """Training targets of each anchor point.

    Attributes:
        labels: (B, L) int64 class; C for the background, i.e. points without a box.
        boxes: (B, L, 4) assigned box in input pixels; undefined for the background.
        trust: (B, L) score of the assigned annotation, see `GroundTruth`; 0 for the background.
        quality: (B, L) target score of the label's class, including `trust`; 0 for the background.
        positive: (B, L) bool, points with a box.
    """

    labels: paddle.Tensor
    boxes: paddle.Tensor
    trust: paddle.Tensor
    quality: paddle.Tensor
    positive: paddle.Tensor

    def class_targets(self, num_classes: int) -> paddle.Tensor:
        """(B, L, C): `quality` at the label's class, 0 elsewhere."""
        if num_classes == 1:
            return self.quality.unsqueeze(-1)
        classes = F.one_hot(paddle.where(self.positive, self.labels, paddle.zeros_like(self.labels)), num_classes)
        return classes * self.quality.unsqueeze(-1)


def topk_mask(values: paddle.Tensor, k: int, largest: bool = True) -> paddle.Tensor:
    """Mask of the `k` largest (smallest) entries along the last axis, in the shape of `values`."""
    _, index = paddle.topk(values, min(k, values.shape[-1]), axis=-1, largest=largest)
    return put_ones(values, index)


def put_ones(like: paddle.Tensor, index: paddle.Tensor) -> paddle.Tensor:
    """Mask of `index` along the last axis, in the shape of `like`."""
    return paddle.put_along_axis(paddle.zeros_like(like), index, paddle.ones(index.shape, like.dtype), axis=-1)


def resolve_conflicts(chosen: paddle.Tensor, preference: paddle.Tensor) -> paddle.Tensor:
    """Assign anchor points chosen by several boxes to the box with the highest preference among *all* boxes of the image.

    Args:
        chosen: (B, G, L) float32 in {0, 1}.
        preference: (B, G, L).

    Returns:
        (B, G, L) with at most one 1 per point.
    """
    several = chosen.sum(axis=1, keepdim=True) > 1
    best = F.one_hot(preference.argmax(axis=1), chosen.shape[1]).transpose([0, 2, 1])
    return paddle.where(several.expand_as(chosen), best, chosen)


def gather_rows(table: paddle.Tensor, index: paddle.Tensor) -> paddle.Tensor:
    """(B, G) or (B, G, n) values at (B, L) row numbers -> (B, L) or (B, L, n)."""
    size, rows = table.shape[0], table.shape[1]
    offset = paddle.arange(size, dtype=index.dtype).unsqueeze(-1) * rows
    flat = table.reshape([size * rows, *table.shape[2:]])
    return paddle.gather(flat, (index + offset).reshape([-1])).reshape([size, index.shape[1], *table.shape[2:]])


def assign(chosen: paddle.Tensor, truth: GroundTruth, background: int) -> Assignment:
    """An assignment whose quality is the annotation's trust.

    Args:
        chosen: (B, G, L) in {0, 1}, at most one 1 per point.
        truth: the boxes.
        background: label of points without a box.
    """
    index = chosen.argmax(axis=1)
    positive = chosen.sum(axis=1) > 0
    labels = gather_rows(truth.labels, index)
    labels = paddle.where(positive, labels, paddle.full_like(labels, background))
    trust = gather_rows(truth.scores, index) * positive.astype("float32")
    return Assignment(labels, gather_rows(truth.boxes, index), trust, trust, positive)
