"""RTMPose's head: a feature map to one classification per axis and keypoint (Jiang et al., arXiv:2303.07399, sec. 3).

Legend: B batch, K keypoints, h w cells of the feature map, D channels of a keypoint's token.
"""

from __future__ import annotations

from typing import Any, Dict, Optional, Sequence

import paddle
from paddle import nn

from ppdet.codecs import SimCCCodec
from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.initializer import constant_attr, normal_attr
from ppdet.modeling.layers.gated_attention import GatedAttentionUnit, ScaleNorm
from ppdet.modeling.shape_spec import ShapeSpec, input_channels


@register
class SimCCHead(nn.Layer):
    """MMPose's RTMCCHead: a map per keypoint, flattened to a token; a gated attention unit over the tokens; two classifiers.

    Keys ``final_layer.*``, ``mlp.0.g``, ``mlp.1.weight``, ``gau.*``, ``cls_x.weight``, ``cls_y.weight``.

    Args:
        in_channels: of the feature map; None takes the first of `input_shape`.
        hidden_dims: D.
        final_layer_kernel_size: odd kernel of the first convolution.
        s: width of the attention's queries and keys.
        expansion_factor: width of its values over D.
        num_joints, codec: shared; the codec is a `SimCCCodec`, whose bins are the classes.
        input_shape: of the backbone; set by the architecture.

    Raises:
        ConfigError: contradicting channels, an even kernel, another codec, or an input that is no multiple of the stride.
    """

    __shared__ = ["num_joints", "codec"]
    scale = 1

    def __init__(
        self,
        in_channels: Optional[int] = None,
        hidden_dims: int = 256,
        final_layer_kernel_size: int = 7,
        s: int = 128,
        expansion_factor: float = 2,
        num_joints: int = 17,
        codec: Any = None,
        input_shape: Optional[Sequence[ShapeSpec]] = None,
    ) -> None:
        super().__init__()
        if not isinstance(codec, SimCCCodec):
            given = "there is no codec section" if codec is None else f"the config has a {type(codec).__name__}"
            raise ConfigError(f"SimCCHead classifies bins and needs `codec: {{name: SimCCCodec, ...}}`; {given}")
        if final_layer_kernel_size < 1 or final_layer_kernel_size % 2 == 0:
            raise ConfigError(f"SimCCHead: final_layer_kernel_size must be odd, given {final_layer_kernel_size}")
        self.in_channels = input_channels("SimCCHead", in_channels, input_shape)
        self.num_joints = num_joints
        cells = _cells(codec, input_shape)
        self.final_layer = nn.Conv2D(
            self.in_channels,
            num_joints,
            final_layer_kernel_size,
            padding=final_layer_kernel_size // 2,
            weight_attr=normal_attr(0.001),
            bias_attr=constant_attr(0.0),
        )
        self.mlp = nn.Sequential(ScaleNorm(cells), _linear(cells, hidden_dims))
        self.gau = GatedAttentionUnit(hidden_dims, expansion_factor, s)
        self.cls_x, self.cls_y = (_linear(hidden_dims, bins) for bins in codec.bins)

    def forward(self, features: paddle.Tensor) -> Dict[str, paddle.Tensor]:
        """(B, in_channels, h, w) -> {"simcc_x": (B, K, bins of x), "simcc_y": (B, K, bins of y)}, logits."""
        tokens = self.gau(self.mlp(self.final_layer(features).flatten(2)))
        return {"simcc_x": self.cls_x(tokens), "simcc_y": self.cls_y(tokens)}


def _linear(in_features: int, out_features: int) -> nn.Linear:
    return nn.Linear(in_features, out_features, weight_attr=normal_attr(0.01), bias_attr=False)


def _cells(codec: SimCCCodec, input_shape: Optional[Sequence[ShapeSpec]]) -> int:
    """h w of the feature map: the head has one weight per cell, so the input size is fixed."""
    if input_shape is None:
        raise ConfigError("SimCCHead needs to know the backbone's stride: input_shape=backbone.out_shape")
    stride = input_shape[0].stride
    if any(side % stride for side in codec.input_wh):
        raise ConfigError(f"SimCCHead: codec.input_wh {list(codec.input_wh)} must be multiples of the backbone's stride {stride}")
    return (codec.input_wh[0] // stride) * (codec.input_wh[1] // stride)
