"""HigherHRNet's head: heatmaps at a quarter and at half of the input, tags at a quarter.

Legend: B batch, K keypoints, C channels, H W input pixels.
"""

from __future__ import annotations

from typing import Any, Dict, Optional

import paddle
from paddle import ParamAttr, nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.backbones.hrnet_blocks import BasicBlock, conv_factory
from ppdet.modeling.initializer import constant_attr, normal_attr
from ppdet.modeling.layers.conv_norm import batch_norm

BLOCKS = 4
SCALE_KERNEL = 9


@register
class HrHRNetHead(nn.Layer):
    """Features at 1/4 to heatmaps at 1/4 and 1/2 and tags at 1/4 (Cheng et al., CVPR 2020, sec. 3.2, fig. 2).

    Keys ``conv1.*`` (K heatmaps, then K tags), ``deconv.*``, ``blocks.*``, ``conv2.*``; with `swahr` also ``scalelayer0.*`` and
    ``scalelayer1.*``, the scale maps of Luo et al. (CVPR 2021, sec. 3.3). They predict the scale itself, as in PaddleDetection's
    checkpoints; the authors' predict the scale minus one. Only the loss uses them.

    Args:
        num_joints: K, shared.
        loss: `loss(outputs, batch) -> {"loss": ...}`; None for inference only.
        swahr: predict scale maps as well.
        width: C, channels of the features.
        paddledet_exact: shared; start the scale maps near 0 as PaddleDetection does, instead of at the authors' 1.

    Raises:
        ConfigError: the number of keypoints is not positive.
    """

    __shared__ = ["num_joints", "paddledet_exact"]
    __inject__ = ["loss"]

    def __init__(
        self,
        num_joints: int = 17,
        loss: Optional[Any] = None,
        swahr: bool = False,
        width: int = 32,
        paddledet_exact: bool = False,
    ) -> None:
        super().__init__()
        if num_joints < 1:
            raise ConfigError(f"HrHRNetHead: num_joints is {num_joints}; a pose has at least one keypoint")
        self.num_joints, self.in_channels, self.swahr = num_joints, width, swahr
        self.loss = loss
        self.conv1 = _one_by_one(width, 2 * num_joints)
        self.conv2 = _one_by_one(width, num_joints)
        doubled = nn.Conv2DTranspose(
            width + 2 * num_joints, width, 4, stride=2, padding=1, weight_attr=normal_attr(0.001), bias_attr=False
        )
        self.deconv = nn.Sequential(doubled, batch_norm(width), nn.ReLU())
        self.blocks = nn.Sequential(*(BasicBlock(conv_factory(), width, has_se=False) for _ in range(BLOCKS)))
        if swahr:
            self.scalelayer0 = _scale_layers(width, num_joints, paddledet_exact)
            self.scalelayer1 = _scale_layers(width, num_joints, paddledet_exact)

    def forward(self, features: paddle.Tensor) -> Dict[str, paddle.Tensor]:
        """(B, C, H / 4, W / 4) -> maps by name.

        Returns:
            "heatmap_1x" and "tag" (B, K, H / 4, W / 4), "heatmap_2x" (B, K, H / 2, W / 2); in training with `swahr` also
            "scale_1x" and "scale_2x" of the heatmaps' shapes.
        """
        maps = self.conv1(features)
        finer = self.blocks(self.deconv(paddle.concat([features, maps], axis=1)))
        joints = self.num_joints
        outputs = {"heatmap_1x": maps[:, :joints], "tag": maps[:, joints:], "heatmap_2x": self.conv2(finer)}
        if self.swahr and self.training:
            outputs.update(scale_1x=self.scalelayer0(features), scale_2x=self.scalelayer1(finer))
        return outputs


def _one_by_one(in_channels: int, out_channels: int) -> nn.Conv2D:
    return nn.Conv2D(in_channels, out_channels, 1, weight_attr=normal_attr(0.001), bias_attr=constant_attr(0.0))


def _scale_layers(width: int, joints: int, paddledet_exact: bool) -> nn.Sequential:
    """1x1 convolution, norm, ReLU, depthwise 9x9 convolution."""
    weight: ParamAttr = normal_attr(0.001) if paddledet_exact else constant_attr(0.0)
    last = nn.Conv2D(
        joints, joints, SCALE_KERNEL, padding=SCALE_KERNEL // 2, groups=joints,
        weight_attr=weight, bias_attr=constant_attr(0.0 if paddledet_exact else 1.0),
    )  # fmt: skip
    return nn.Sequential(_one_by_one(width, joints), batch_norm(joints), nn.ReLU(), last)
