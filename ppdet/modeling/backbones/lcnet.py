"""PP-LCNet: a network for CPUs (Cui et al., arXiv:2109.15099)."""

from __future__ import annotations

from typing import List, Sequence

import paddle
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.initializer import kaiming_normal_attr
from ppdet.modeling.layers.conv_norm import ConvBN
from ppdet.modeling.layers.divisible import round_channels
from ppdet.modeling.layers.separable import SeparableConv
from ppdet.modeling.shape_spec import ShapeSpec

# stage: (kernel, input channels, output channels, stride, squeeze-and-excitation) of each block, at scale 1
STAGES = {
    2: [(3, 16, 32, 1, False)],
    3: [(3, 32, 64, 2, False), (3, 64, 64, 1, False)],
    4: [(3, 64, 128, 2, False), (3, 128, 128, 1, False)],
    5: [(3, 128, 256, 2, False)] + [(5, 256, 256, 1, False)] * 5,
    6: [(5, 256, 512, 2, True), (5, 512, 512, 1, True)],
}
# number of a feature map in YAML: the stage whose output it is. Map m has stride 2^m.
STAGE_OF_MAP = {2: 3, 3: 4, 4: 5, 5: 6}


@register
class LCNet(nn.Layer):
    """PP-LCNet.

    Args:
        scale: factor on all channel counts.
        feature_maps: which maps to return, of 2, 3, 4 and 5 (strides 4, 8, 16 and 32).
        act: activation after each convolution.

    Raises:
        ConfigError: an unknown map or activation.
    """

    def __init__(self, scale: float = 1.0, feature_maps: Sequence[int] = (3, 4, 5), act: str = "hard_swish") -> None:
        super().__init__()
        if not feature_maps or not set(feature_maps) <= set(STAGE_OF_MAP):
            raise ConfigError(f"LCNet: feature_maps {list(feature_maps)} is not possible; give one or more of 2, 3, 4, 5")
        self.feature_maps = sorted(feature_maps)
        self.conv1 = ConvBN(3, round_channels(16 * scale), 3, stride=2, act=act, weight_attr=kaiming_normal_attr())
        for stage, blocks in STAGES.items():
            layers = [
                SeparableConv(round_channels(a * scale), round_channels(b * scale), kernel, stride, use_se, act)
                for kernel, a, b, stride, use_se in blocks
            ]
            self.add_sublayer(f"blocks{stage}", nn.Sequential(*layers))
        self.out_shape = [ShapeSpec(round_channels(STAGES[STAGE_OF_MAP[m]][-1][2] * scale), 2**m) for m in self.feature_maps]

    def forward(self, images: paddle.Tensor) -> List[paddle.Tensor]:
        """(B, 3, H, W) -> one (B, C, H / stride, W / stride) per entry of `feature_maps`, finest first."""
        x = self.conv1(images)
        outputs = {}
        for stage in STAGES:
            x = self._sub_layers[f"blocks{stage}"](x)
            outputs[stage] = x
        return [outputs[STAGE_OF_MAP[m]] for m in self.feature_maps]
