"""Attention of tokens to each other with a gate per value (Hua et al., "Transformer quality in linear time", ICML 2022).

Legend: B batch, T tokens, D channels of a token.
"""

from __future__ import annotations

import math

import paddle
import paddle.nn.functional as F
from paddle import nn
from paddle.nn import initializer

EPSILON = 1e-5


class ScaleNorm(nn.Layer):
    """Each token divided by its root mean square, times one learned number ``g`` (Nguyen and Salazar, IWSLT 2019)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self._scale = channels**-0.5
        self.g = self.create_parameter([1], default_initializer=initializer.Constant(1.0))

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(..., D) -> the same."""
        size = (x * x).sum(axis=-1, keepdim=True).sqrt() * self._scale
        return x / size.clip(min=EPSILON) * self.g


class ChannelScale(nn.Layer):
    """One learned factor per channel, key ``scale``."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = self.create_parameter([channels], default_initializer=initializer.Constant(1.0))

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(..., D) -> the same."""
        return x * self.scale


class GatedAttentionUnit(nn.Layer):
    """``x r + (u * (A v)) W_o`` with ``A = relu(q k^T / sqrt(s))^2``, as in RTMPose's head.

    u and v (both e = `expansion` D wide) and b (`key_channels` = s wide) are SiLU of one linear map of the normalised tokens;
    q and k are b, each scaled and shifted by learned rows. Keys ``gamma``, ``beta``, ``uv.weight``, ``o.weight``, ``ln.g``,
    ``res_scale.scale``.
    """

    def __init__(self, channels: int, expansion: float = 2, key_channels: int = 128) -> None:
        super().__init__()
        self._width, self._key_channels = int(channels * expansion), key_channels
        uniform = initializer.Uniform(0.0, 1.0)
        self.gamma = self.create_parameter([2, key_channels], default_initializer=uniform)
        self.beta = self.create_parameter([2, key_channels], default_initializer=uniform)
        xavier = paddle.ParamAttr(initializer=initializer.XavierUniform())
        self.uv = nn.Linear(channels, 2 * self._width + key_channels, weight_attr=xavier, bias_attr=False)
        normal = paddle.ParamAttr(initializer=initializer.Normal(0.0, 0.01))
        self.o = nn.Linear(self._width, channels, weight_attr=normal, bias_attr=False)
        self.ln = ScaleNorm(channels)
        self.res_scale = ChannelScale(channels)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, T, D) -> the same."""
        mixed, e = F.silu(self.uv(self.ln(x))), self._width
        u, v, base = mixed[..., :e], mixed[..., e : 2 * e], mixed[..., 2 * e :]
        query = base * self.gamma[0] + self.beta[0]
        key = base * self.gamma[1] + self.beta[1]
        attention = F.relu(paddle.matmul(query, key, transpose_y=True) / math.sqrt(self._key_channels))
        return self.res_scale(x) + self.o(u * paddle.matmul(attention * attention, v))
