"""ResNet of Simple Baselines (Xiao et al., ECCV 2018) and SimplePose."""

from __future__ import annotations

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.backbones.residual_trunk import ResidualTrunk
from ppdet.modeling.layers.residual_blocks import BasicBlock, Bottleneck, ChannelGate, ResidualBlock

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
STYLES = ("pytorch", "caffe")


@register
class PoseResNet(ResidualTrunk):
    """ResNet with torchvision's keys and one output, at stride 32.

    It differs from PaddleDetection's `ResNet`, which is a detector backbone with other names, variants and outputs.

    Args:
        depth: 18, 34, 50, 101 or 152.
        style: "pytorch" strides on the 3x3 convolution of a bottleneck, "caffe" on its first 1x1.
        se_first: squeeze-and-excitation of ratio 1 in the first block of each stage if it changes the shape (SimplePose).

    Raises:
        ConfigError: another depth or style.
    """

    input_multiple = 32  # divides both sides of the input

    def __init__(self, depth: int = 50, style: str = "pytorch", se_first: bool = False) -> None:
        if depth not in BLOCKS:
            raise ConfigError(f"PoseResNet: depth {depth} is not defined; use one of {', '.join(map(str, BLOCKS))}")
        if style not in STYLES:
            raise ConfigError(f"PoseResNet: style {style!r} is not defined; use one of {', '.join(STYLES)}")
        if style == "caffe" and depth < 50:
            raise ConfigError(f"PoseResNet: style caffe says where a bottleneck strides; depth {depth} has none, use pytorch")
        expansion = 4 if depth >= 50 else 1

        def block(in_channels: int, width: int, stride: int) -> ResidualBlock:
            if depth >= 50:
                made: ResidualBlock = Bottleneck(in_channels, width, stride, expansion, stride_on_first=style == "caffe")
            else:
                made = BasicBlock(in_channels, width, stride)
            channels = width * expansion
            made.attend("se", ChannelGate(channels, channels, bias=True) if se_first and made.downsample is not None else None)
            return made

        super().__init__(block, BLOCKS[depth], (1, 2, 2, 2), expansion)
