"""Image normalisation as part of a graph."""

from __future__ import annotations

from typing import Sequence

import paddle
from paddle import nn


class Normalize(nn.Layer):
    """(pixel / 255 - mean) / std, channel by channel, as one multiplication and one addition.

    Args:
        mean, std: one number per channel, on the scale 0 to 1, in the channel order of the network.
        is_scale: False omits the division by 255; mean and std are then on the scale of the pixels.
        to_bgr: reverse the channels first.
    """

    def __init__(
        self, mean: Sequence[float], std: Sequence[float], is_scale: bool = True, to_bgr: bool = False
    ) -> None:
        super().__init__()
        self.to_bgr = to_bgr
        peak = 255.0 if is_scale else 1.0
        scale = paddle.to_tensor([1.0 / (peak * s) for s in std], dtype="float32")
        shift = paddle.to_tensor([-m / s for m, s in zip(mean, std)], dtype="float32")
        self.register_buffer("scale", scale.reshape([1, -1, 1, 1]), persistable=False)
        self.register_buffer("shift", shift.reshape([1, -1, 1, 1]), persistable=False)

    def forward(self, images: paddle.Tensor) -> paddle.Tensor:
        """(B, 3, H, W) pixels -> same shape, normalised."""
        if self.to_bgr:
            images = paddle.concat([images[:, 2:], images[:, 1:2], images[:, :1]], axis=1)
        return images * self.scale + self.shift
