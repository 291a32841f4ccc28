"""The plain vision transformer of ViTPose (Dosovitskiy et al., ICLR 2021; Xu et al., NeurIPS 2022).

Legend: B batch, N tokens, C channels.
"""

from __future__ import annotations

import math
from typing import List, Optional, Sequence

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import ParamAttr, nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.shape_spec import ShapeSpec


def _weights() -> ParamAttr:
    return ParamAttr(initializer=nn.initializer.TruncatedNormal(std=0.02))


class DropPath(nn.Layer):
    """Stochastic depth: in training, a sample skips the branch with this probability (Huang et al., ECCV 2016)."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, N, C) -> same shape."""
        if not self.training or self.probability == 0:
            return x
        keep = 1 - self.probability
        kept = paddle.floor(paddle.rand([x.shape[0], 1, 1], dtype=x.dtype) + keep)
        return x * kept / keep


class Attention(nn.Layer):
    """Multi-head self-attention; keys ``qkv.*``, ``proj.*``."""

    def __init__(self, channels: int, heads: int, qkv_bias: bool) -> None:
        super().__init__()
        self.heads, self.head_channels = heads, channels // heads
        self.qkv = nn.Linear(channels, channels * 3, weight_attr=_weights(), bias_attr=None if qkv_bias else False)
        self.proj = nn.Linear(channels, channels, weight_attr=_weights())

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, N, C) -> same shape."""
        tokens, channels = x.shape[1:]
        qkv = self.qkv(x).reshape([-1, tokens, 3, self.heads, self.head_channels]).transpose([2, 0, 3, 1, 4])
        query, key, value = qkv[0] * self.head_channels**-0.5, qkv[1], qkv[2]
        share = F.softmax(paddle.matmul(query, key, transpose_y=True), axis=-1)
        return self.proj(paddle.matmul(share, value).transpose([0, 2, 1, 3]).reshape([-1, tokens, channels]))


class Mlp(nn.Layer):
    """Two linear layers around a GELU; keys ``fc1.*``, ``fc2.*``."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, hidden, weight_attr=_weights())
        self.fc2 = nn.Linear(hidden, channels, weight_attr=_weights())

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, N, C) -> same shape."""
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Layer):
    """Norm before attention, norm before the two linear layers, a shortcut around each."""

    def __init__(
        self, channels: int, heads: int, hidden: int, qkv_bias: bool, drop_path: float, epsilon: float
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels, epsilon=epsilon)
        self.attn = Attention(channels, heads, qkv_bias)
        self.norm2 = nn.LayerNorm(channels, epsilon=epsilon)
        self.mlp = Mlp(channels, hidden)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, N, C) -> same shape."""
        x = x + self.drop_path(self.attn(self.norm1(x)))
        return x + self.drop_path(self.mlp(self.norm2(x)))


class PatchEmbed(nn.Layer):
    """One token per patch, by a strided convolution; keys ``proj.*``."""

    def __init__(self, patch: int, stride: int, padding: int, channels: int) -> None:
        super().__init__()
        self.proj = nn.Conv2D(3, channels, patch, stride=stride, padding=padding)

    def forward(self, images: paddle.Tensor) -> paddle.Tensor:
        """(B, 3, H, W) -> (B, C, rows, columns)."""
        return self.proj(images)


@register
class ViT(nn.Layer):
    """Vision transformer with one output, at stride patch_size / ratio.

    Args:
        img_size: (height, width) in pixels; the position embedding is for this size only.
        patch_size, embed_dim, depth, num_heads, mlp_ratio, qkv_bias: of the transformer; the defaults are ViT-B/16.
        ratio: overlapping patches: the stride is patch_size / ratio.
        drop_path_rate: stochastic depth of the last block; it increases linearly from 0 over the blocks.
        epsilon: of the layer norms.

    The position embedding has one row more than there are patches, for the class token; that row is added to all patches.

    Raises:
        ConfigError: the patch size does not divide the image size, or the number of heads the channels.
    """

    def __init__(
        self,
        img_size: Sequence[int] = (256, 192),
        patch_size: int = 16,
        embed_dim: int = 768,
        depth: int = 12,
        num_heads: int = 12,
        ratio: int = 1,
        mlp_ratio: float = 4,
        qkv_bias: bool = True,
        drop_path_rate: float = 0.0,
        epsilon: float = 1e-6,
    ) -> None:
        super().__init__()
        if len(img_size) != 2 or any(side % patch_size for side in img_size):
            raise ConfigError(
                f"ViT: img_size {list(img_size)} is [height, width], both multiples of patch_size {patch_size}; "
                f"[256, 192] is ViTPose's"
            )
        if embed_dim % num_heads or patch_size % ratio:
            raise ConfigError(
                f"ViT: embed_dim {embed_dim} must be a multiple of num_heads {num_heads}, and patch_size {patch_size} of "
                f"ratio {ratio}"
            )
        self.img_size = tuple(img_size)
        stride = patch_size // ratio
        self.grid = (img_size[0] // stride, img_size[1] // stride)
        self.pos_embed = self.create_parameter([1, self.grid[0] * self.grid[1] + 1, embed_dim], attr=_weights())
        # 2 for ratio 1: the first patch starts two pixels outside the image, as in the code of ViTPose's authors.
        self.patch_embed = PatchEmbed(patch_size, stride, 4 + 2 * (ratio // 2 - 1), embed_dim)
        rates = [drop_path_rate * i / max(depth - 1, 1) for i in range(depth)]
        hidden = int(embed_dim * mlp_ratio)
        self.blocks = nn.LayerList([Block(embed_dim, num_heads, hidden, qkv_bias, rate, epsilon) for rate in rates])
        self.last_norm = nn.LayerNorm(embed_dim, epsilon=epsilon)
        self.out_shape = [ShapeSpec(embed_dim, stride)]

    def fit_weight(self, name: str, value: np.ndarray) -> Optional[np.ndarray]:
        """A position embedding of a square grid (ImageNet's 14 x 14), resized bicubically to this network's; the row of the
        class token stays. None if it cannot be resized."""
        side = math.isqrt(value.shape[1] - 1) if name == "pos_embed" and value.ndim == 3 and value.shape[1] > 1 else 0
        if side == 0 or side * side != value.shape[1] - 1 or value.shape[2] != self.pos_embed.shape[2]:
            return None
        grid = paddle.to_tensor(value[:, 1:].astype(np.float32)).reshape([1, side, side, -1]).transpose([0, 3, 1, 2])
        resized = F.interpolate(grid, size=self.grid, mode="bicubic", align_corners=False).flatten(2).transpose([0, 2, 1])
        return np.concatenate([value[:, :1].astype(np.float32), resized.numpy()], axis=1)

    def forward(self, images: paddle.Tensor) -> List[paddle.Tensor]:
        """(B, 3, H, W) of `img_size` -> one (B, C, H / stride, W / stride)."""
        patches = self.patch_embed(images)
        channels, rows, columns = patches.shape[1:]
        x = patches.flatten(2).transpose([0, 2, 1]) + self.pos_embed[:, 1:] + self.pos_embed[:, :1]
        for block in self.blocks:
            x = block(x)
        return [self.last_norm(x).transpose([0, 2, 1]).reshape([-1, channels, rows, columns])]
