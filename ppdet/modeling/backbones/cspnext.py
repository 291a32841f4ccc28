"""CSPNeXt: the backbone of RTMDet and RTMPose (Lyu et al., arXiv:2212.07784; Jiang et al., arXiv:2303.07399)."""

from __future__ import annotations

from typing import List, NamedTuple, Sequence

import paddle
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.backbones.cspnext_blocks import CSPLayer, SPPBottleneck, conv_bn_silu
from ppdet.modeling.shape_spec import ShapeSpec

STEM = 64


class Stage(NamedTuple):
    """Channels and blocks at width and depth 1; whether blocks add their input, and whether pooling comes before them."""

    channels: int
    blocks: int
    identity: bool = True
    pools: bool = False


STAGES = (Stage(128, 3), Stage(256, 6), Stage(512, 6), Stage(1024, 3, identity=False, pools=True))


@register
class CSPNeXt(nn.Layer):
    """Keys ``stem.{0,1,2}.*`` and ``stage{1..4}.*``, as in MMPose and MMDetection (arch P5).

    Args:
        deepen_factor: on the numbers of blocks: .167 (tiny), .33 (s), .67 (m), 1 (l), 1.33 (x).
        widen_factor: on the channels: .375, .5, .75, 1, 1.25.
        out_indices: stages whose maps are returned, of 1 to 4 (strides 4 to 32).

    Raises:
        ConfigError: a stage that does not exist, or a factor that leaves no channel.
    """

    input_multiple = 32

    def __init__(self, deepen_factor: float = 1.0, widen_factor: float = 1.0, out_indices: Sequence[int] = (4,)) -> None:
        super().__init__()
        if not out_indices or not set(out_indices) <= set(range(1, len(STAGES) + 1)):
            raise ConfigError(f"CSPNeXt: out_indices {list(out_indices)} is not possible; give one or more of 1, 2, 3, 4")
        if not 0 < deepen_factor <= 10 or not 1 / 32 <= widen_factor <= 10:
            raise ConfigError(f"CSPNeXt: deepen_factor {deepen_factor} and widen_factor {widen_factor} are out of range; the "
                              "published ones are from .167 and .375 (tiny) to 1.33 and 1.25 (x)")
        self.out_indices = sorted(out_indices)
        channels = int(STEM * widen_factor)
        half = int(STEM * widen_factor // 2)
        self.stem = nn.Sequential(
            conv_bn_silu(3, half, 3, stride=2), conv_bn_silu(half, half, 3), conv_bn_silu(half, channels, 3)
        )
        widths = []
        for number, stage in enumerate(STAGES, start=1):
            width = int(stage.channels * widen_factor)
            layers: List[nn.Layer] = [conv_bn_silu(channels, width, 3, stride=2)]
            layers += [SPPBottleneck(width)] if stage.pools else []
            layers.append(CSPLayer(width, max(round(stage.blocks * deepen_factor), 1), stage.identity))
            self.add_sublayer(f"stage{number}", nn.Sequential(*layers))
            channels = width
            widths.append(width)
        self.out_shape = [ShapeSpec(widths[i - 1], 2 ** (i + 1)) for i in self.out_indices]

    def forward(self, images: paddle.Tensor) -> List[paddle.Tensor]:
        """(B, 3, H, W) -> one (B, C, H / stride, W / stride) per entry of `out_indices`, finest first."""
        x = self.stem(images)
        outputs = []
        for number in range(1, self.out_indices[-1] + 1):
            x = self._sub_layers[f"stage{number}"](x)
            if number in self.out_indices:
                outputs.append(x)
        return outputs
