"""Nearest-neighbour upsampling by a whole factor."""

from __future__ import annotations

import paddle
import paddle.nn.functional as F

from ppdet.modeling.operators import cpu


def upsample_nearest(x: paddle.Tensor, factor: int) -> paddle.Tensor:
    """(B, C, H, W) -> (B, C, factor H, factor W), each cell repeated.

    In training `F.interpolate` takes twice the time of the copy below (forward + backward of (32, 40, 32, 24) by 2:
    66 against 30 ms on two cores). In an exported graph it is one operator that all engines support.
    """
    if factor == 1:
        return x
    if not paddle.in_dynamic_mode():
        return F.interpolate(x, scale_factor=factor, mode="nearest")
    if cpu.supports(x):
        return cpu.upsample_nearest(x, factor)
    batch, channels, height, width = x.shape
    cells = x.reshape([batch, channels, height, 1, width, 1]).tile([1, 1, 1, factor, 1, factor])
    return cells.reshape([batch, channels, height * factor, width * factor])
