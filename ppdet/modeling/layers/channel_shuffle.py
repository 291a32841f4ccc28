"""Channel split and shuffle (Zhang et al., CVPR 2018)."""

from __future__ import annotations

from typing import List

import paddle
import paddle.nn.functional as F


def split_halves(x: paddle.Tensor) -> List[paddle.Tensor]:
    """(B, 2c, H, W) -> first c channels, last c channels."""
    return paddle.split(x, 2, axis=1)


def join_shuffled(first: paddle.Tensor, second: paddle.Tensor) -> paddle.Tensor:
    """Two (B, c, H, W) -> (B, 2c, H, W) with channels first[0], second[0], first[1], second[1], ...

    In training `F.channel_shuffle` is far faster than reshape and transpose (forward + backward of (32, 40, 32, 24):
    1 against 17 ms on two cores). Exported graphs use the latter: paddle2onnx 2.1 has no channel_shuffle.
    """
    joined = paddle.concat([first, second], axis=1)
    if paddle.in_dynamic_mode():
        return F.channel_shuffle(joined, 2)
    _, channels, height, width = joined.shape
    pairs = joined.reshape([-1, 2, channels // 2, height, width]).transpose([0, 2, 1, 3, 4])
    return pairs.reshape([-1, channels, height, width])
