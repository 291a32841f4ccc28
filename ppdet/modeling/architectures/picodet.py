"""PicoDet: a one-stage detector for mobile processors (Yu et al., arXiv:2111.00902)."""

from __future__ import annotations

from typing import Any, Callable, Dict

import paddle
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.architectures.detector import check_training_sides
from ppdet.modeling.heads.pico_base import PicoHeadBase, RawOutputs


@register
class PicoDet(nn.Layer):
    """Backbone, neck and head; keys ``backbone.*``, ``neck.*``, ``head.*``.

    Args:
        backbone: network from images to feature maps.
        neck: made for the backbone's `out_shape`.
        head: made for the neck's levels.
        nms_cpu: PaddleDetection's key for its own runs; not used.

    Raises:
        ConfigError: strides of head and neck differ.
    """

    __inject__ = ["backbone", "neck", "head"]

    def __init__(self, backbone: nn.Layer, neck: nn.Layer, head: PicoHeadBase, nms_cpu: bool = False) -> None:
        super().__init__()
        strides = [shape.stride for shape in neck.out_shape]
        if strides != head.fpn_stride:
            raise ConfigError(
                f"PicoDet: the neck's levels have strides {strides}, the head's fpn_stride is {head.fpn_stride}; "
                "they must agree (num_features of the neck sets the number of levels)"
            )
        self.backbone = backbone
        self.neck = neck
        self.head = head

    @classmethod
    def build_parts(cls, build: Callable[..., Any], args: Dict[str, Any]) -> Dict[str, Any]:
        """Build the backbone first, because the neck depends on its outputs."""
        backbone = build(args["backbone"])
        return {**args, "backbone": backbone, "neck": build(args["neck"], input_shape=backbone.out_shape)}

    def forward(self, images: paddle.Tensor) -> RawOutputs:
        """(B, 3, H, W) normalised images -> {"scores": [(B, l, C), ...], "boxes": [(B, l, 4 R), ...]}, by level.

        Raises:
            ConfigError: in training, a side is not a multiple of 32, so the neck cannot merge its levels.
        """
        if self.training:
            check_training_sides("PicoDet", *images.shape[2:])
        return self.head(self.neck(self.backbone(images)))

    def loss(self, outputs: RawOutputs, batch: Dict[str, Any]) -> Dict[str, paddle.Tensor]:
        """Losses of `forward`'s outputs and their sum "loss", see `PicoHeadBase.loss`."""
        return self.head.loss(outputs, batch)
