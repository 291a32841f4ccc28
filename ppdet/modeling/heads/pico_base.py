"""What PicoDet's two heads share: keys, levels, and the way from raw outputs to boxes.

Legend: B batch, C classes, l cells of one level, L cells of all levels, R = reg_max + 1 bins.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

import paddle
from paddle import nn

from ppdet.core.errors import ConfigError
from ppdet.modeling.heads.box_distribution import DistributionProject, anchor_points
from ppdet.modeling.heads.multiclass_nms import MultiClassNMS
from ppdet.modeling.heads.pico_feat import PicoFeat
from ppdet.modeling.initializer import constant_attr

RawOutputs = Dict[str, List[paddle.Tensor]]


class _ScaleReg(nn.Layer):
    """A factor that published files carry for each level and published outputs do not use; key ``scale_reg``."""

    def __init__(self) -> None:
        super().__init__()
        self.scale_reg = self.create_parameter([1], attr=constant_attr(1.0), dtype="float32")


class PicoHeadBase(nn.Layer):
    """Common parts; subclasses give `level_outputs`.

    Args:
        conv_feat: the convolutions in front.
        num_classes: C.
        fpn_stride: input pixels per cell of each level.
        reg_max: largest distance in cells that a side can have.
        cell_offset: place of the anchor point within its cell.
        nms: suppression of an exported graph.

    Raises:
        ConfigError: number of levels differs between `conv_feat` and `fpn_stride`.
    """

    def __init__(
        self,
        conv_feat: PicoFeat,
        num_classes: int,
        fpn_stride: Sequence[int],
        reg_max: int,
        cell_offset: float,
        nms: Optional[MultiClassNMS],
    ) -> None:
        super().__init__()
        if conv_feat.levels != len(fpn_stride):
            raise ConfigError(
                f"{type(self).__name__}: fpn_stride {list(fpn_stride)} has {len(fpn_stride)} levels, but conv_feat's "
                f"num_fpn_stride is {conv_feat.levels}; they must agree"
            )
        self.num_classes = num_classes
        self.fpn_stride = list(fpn_stride)
        self.reg_max = reg_max
        self.cell_offset = cell_offset
        self.nms = nms
        self.conv_feat = conv_feat
        for level in range(len(fpn_stride)):
            self.add_sublayer(f"p{level + 3}_feat", _ScaleReg())
        self.distribution_project = DistributionProject(reg_max)

    def level_outputs(self, feature: paddle.Tensor, level: int) -> Tuple[paddle.Tensor, paddle.Tensor]:
        """One level (B, feat_in, h, w) -> scores in [0, 1] (B, C, h, w) and box logits (B, 4 R, h, w)."""
        raise TypeError(f"{type(self).__name__} must define level_outputs")

    def forward(self, features: Sequence[paddle.Tensor]) -> RawOutputs:
        """Levels, finest first -> {"scores": [(B, l, C), ...], "boxes": [(B, l, 4 R), ...]}."""
        outputs: RawOutputs = {"scores": [], "boxes": []}
        for level, feature in enumerate(features):
            scores, boxes = self.level_outputs(feature, level)
            outputs["scores"].append(scores.flatten(2).transpose([0, 2, 1]))
            outputs["boxes"].append(boxes.flatten(2).transpose([0, 2, 1]))
        return outputs

    def decode(self, outputs: RawOutputs, input_hw: Tuple[int, int]) -> Tuple[paddle.Tensor, paddle.Tensor]:
        """Boxes and scores of all levels.

        Args:
            outputs: of `forward`.
            input_hw: height and width of the image the network saw.

        Returns:
            boxes xyxy (B, L, 4) in input pixels, scores (B, C, L).
        """
        points, strides = anchor_points(input_hw, self.fpn_stride, self.cell_offset)
        sides = self.distribution_project(paddle.concat(outputs["boxes"], axis=1)) * paddle.to_tensor(strides)
        left_top, right_bottom = paddle.split(sides, 2, axis=-1)
        centres = paddle.to_tensor(points)
        boxes = paddle.concat([centres - left_top, centres + right_bottom], axis=-1)
        return boxes, paddle.concat(outputs["scores"], axis=1).transpose([0, 2, 1])

    def loss(self, outputs: RawOutputs, batch: Dict[str, Any]) -> Dict[str, paddle.Tensor]:
        """Always an error: detectors are run and exported here, not trained.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(
            f"{type(self).__name__}: training a detector is not part of ppdet-keypoint; its loss and assigner settings "
            "are read but not used. Train it with PaddleDetection: the weights load here under the same keys"
        )
