"""DropBlock: drops square regions of feature maps in training (Ghiasi et al., NeurIPS 2018)."""

from __future__ import annotations

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppdet.core.errors import ConfigError


class DropBlock(nn.Layer):
    """Zeroes blocks, independently per channel, and scales the rest so that the sum of the mask is kept.

    Args:
        block_size: side of a block in cells, odd.
        keep_prob: expected share of cells that stay.

    Raises:
        ConfigError: an even block size, or a share outside (0, 1].
    """

    def __init__(self, block_size: int = 3, keep_prob: float = 0.9) -> None:
        super().__init__()
        if block_size < 1 or block_size % 2 == 0 or not 0 < keep_prob <= 1:
            raise ConfigError(f"DropBlock: block_size is odd and keep_prob in (0, 1]; given {block_size} and {keep_prob}")
        self.block_size, self.keep_prob = block_size, keep_prob

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, C, H, W) -> same shape; x itself in evaluation, and if no block fits into the map."""
        size = self.block_size
        if not self.training or self.keep_prob == 1 or min(x.shape[2:]) < size:
            return x
        rate = (1 - self.keep_prob) / size**2
        for side in x.shape[2:]:
            rate *= side / (side - size + 1)
        with paddle.no_grad():
            centres = (paddle.rand(x.shape, dtype="float32") < rate).astype("float32")
            kept = 1 - F.max_pool2d(centres, size, stride=1, padding=size // 2)
            kept = kept * (kept.size / paddle.clip(kept.sum(), min=1.0))
        return x * kept.astype(x.dtype)
