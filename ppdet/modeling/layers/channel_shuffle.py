"""Split a feature map in two, and put two together so that the next split mixes them (Zhang et al., CVPR 2018)."""

from __future__ import annotations

from typing import List

import paddle
import paddle.nn.functional as F


def split_halves(x: paddle.Tensor) -> List[paddle.Tensor]:
    """(B, 2c, H, W) -> first c channels, last c channels."""
    return paddle.split(x, 2, axis=1)


def join_shuffled(first: paddle.Tensor, second: paddle.Tensor) -> paddle.Tensor:
    """Two (B, c, H, W) -> (B, 2c, H, W) with channels first[0], second[0], first[1], second[1], ..."""
    return F.channel_shuffle(paddle.concat([first, second], axis=1), 2)
