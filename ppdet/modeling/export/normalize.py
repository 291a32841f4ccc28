"""Image normalisation as part of a graph."""

from __future__ import annotations

from typing import Sequence

import paddle
from paddle import nn

from ppdet.image.normalize import gain_and_offset


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
        for name, values in zip(("scale", "shift"), gain_and_offset(mean, std, is_scale)):
            self.register_buffer(name, paddle.to_tensor(values).reshape([1, -1, 1, 1]), persistable=False)

    def forward(self, images: paddle.Tensor) -> paddle.Tensor:
        """(B, 3, H, W) pixels -> same shape, normalised."""
        if self.to_bgr:
            images = paddle.concat([images[:, 2:], images[:, 1:2], images[:, :1]], axis=1)
        return images * self.scale + self.shift
