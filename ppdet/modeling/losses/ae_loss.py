"""Associative-embedding loss: tags agree within a person and differ between people. B batch, M people at most, K keypoints, h w
cells."""

from __future__ import annotations

from typing import Tuple

import paddle
from paddle import nn

from ppdet.core.config.registry import register


@register
class AELoss(nn.Layer):
    """Pull a person's tags to their mean, push the means of two people apart (Newell et al., NeurIPS 2017, eq. 1).

    With n people, mean tag m_p and t_pk the tag at person p's keypoint k, both parts averaged over the images::

        pull = 1 / n  sum_p  mean_k (t_pk - m_p)^2
        push = 1 / 2  sum_{p != q} exp(-(m_p - m_q)^2) / (n (n - 1))

    An image without people has no loss, one with a single person only a pull. The half and n - 1 are HigherHRNet's.

    Args:
        loss_factor: on both parts; 1e-3 is HigherHRNet's.
        paddledet_exact: shared; divide the pull by the number of people with two keypoints or more, at least 1.
    """

    __shared__ = ["paddledet_exact"]

    def __init__(self, loss_factor: float = 0.001, paddledet_exact: bool = False) -> None:
        super().__init__()
        self.loss_factor = loss_factor
        self.paddledet_exact = paddledet_exact

    def forward(self, tag: paddle.Tensor, tag_joints: paddle.Tensor) -> Tuple[paddle.Tensor, paddle.Tensor]:
        """Pull and push loss of the tags of labelled keypoints.

        Args:
            tag: (B, K, h, w).
            tag_joints: (B, M, K, 2) integers: index into the flattened (K, h, w) map, and 1 for a labelled keypoint, else 0.

        Returns:
            pull and push, scalars, times `loss_factor`.
        """
        valid = (tag_joints[..., 1] > 0).astype(tag.dtype)
        places = paddle.where(tag_joints[..., 1] > 0, tag_joints[..., 0], paddle.zeros_like(tag_joints[..., 0]))
        tags = paddle.take_along_axis(tag.flatten(1), places.flatten(1).astype("int64"), axis=1).reshape(valid.shape)
        joints = valid.sum(axis=2)
        mean = (tags * valid).sum(axis=2) / joints.clip(min=1.0)
        spread = ((tags - mean.unsqueeze(2)) ** 2 * valid).sum(axis=2) / joints.clip(min=1.0)
        there = (joints > 0).astype(tag.dtype)
        people = there.sum(axis=1)
        pulled = (joints > 1).astype(tag.dtype).sum(axis=1) if self.paddledet_exact else people
        pull = spread.sum(axis=1) / pulled.clip(min=1.0)
        push = 0.5 * _closeness(mean, there) / (people * (people - 1.0)).clip(min=1.0)
        return self.loss_factor * pull.mean(), self.loss_factor * push.mean()


def _closeness(mean: paddle.Tensor, there: paddle.Tensor) -> paddle.Tensor:
    """(B, M) mean tags and a mask of the people -> (B,) sum of exp(-difference^2) over ordered pairs of two people."""
    others = 1.0 - paddle.eye(mean.shape[1], dtype=mean.dtype)
    pairs = there.unsqueeze(2) * there.unsqueeze(1) * others
    return (paddle.exp(-((mean.unsqueeze(2) - mean.unsqueeze(1)) ** 2)) * pairs).sum(axis=[1, 2])
