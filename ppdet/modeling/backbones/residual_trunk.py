"""Common trunk of ResNet and LPN: a 7x7 stem, pooling and four stages of residual blocks, under torchvision's names."""

from __future__ import annotations

from typing import Callable, List, Sequence

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppdet.modeling.layers.conv_norm import batch_norm
from ppdet.modeling.layers.residual_blocks import ResidualBlock, plain_conv
from ppdet.modeling.shape_spec import ShapeSpec

WIDTHS = (64, 128, 256, 512)
STEM_STRIDE = 4


class ResidualTrunk(nn.Layer):
    """Keys ``conv1.*``, ``bn1.*``, ``layer{1..4}.{i}.*``.

    Args:
        make_block: (in_channels, width, stride) -> block.
        blocks: number of blocks of the four stages.
        strides: of the first block of each stage.
        expansion: output channels of a block over its width.
    """

    def __init__(
        self, make_block: Callable[[int, int, int], ResidualBlock], blocks: Sequence[int], strides: Sequence[int], expansion: int
    ) -> None:
        super().__init__()
        self.conv1 = plain_conv(3, WIDTHS[0], 7, 2)
        self.bn1 = batch_norm(WIDTHS[0], decay=None)
        channels, total = WIDTHS[0], STEM_STRIDE
        for row, (width, count, stride) in enumerate(zip(WIDTHS, blocks, strides), start=1):
            layers = []
            for i in range(count):
                layers.append(make_block(channels, width, stride if i == 0 else 1))
                channels = width * expansion
            self.add_sublayer(f"layer{row}", nn.Sequential(*layers))
            total *= stride
        self.out_shape = [ShapeSpec(channels, total)]

    def forward(self, images: paddle.Tensor) -> List[paddle.Tensor]:
        """(B, 3, H, W) -> one (B, C, H / stride, W / stride), see `out_shape`."""
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(images))), 3, stride=2, padding=1)
        for row in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = row(x)
        return [x]
