"""Anchor-based one-stage detectors of the YOLOv3 family, PP-YOLOv2 among them (Huang et al., arXiv:2104.10419)."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional

import paddle
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.architectures.detector import check_training_sides
from ppdet.modeling.heads.yolo_head import YOLOv3Head
from ppdet.modeling.post_process.bbox_post_process import BBoxPostProcess


@register
class YOLOv3(nn.Layer):
    """Backbone, neck and head; keys ``backbone.*``, ``neck.*``, ``yolo_head.*``.

    Args:
        backbone: network from images to feature maps.
        neck: made for the backbone's `out_shape`.
        yolo_head: made for the neck's levels.
        post_process: decoding and suppression; default `BBoxPostProcess` without suppression.
        data_format: "NCHW" only.
        for_mot: PaddleDetection's key for JDE, only false.

    Raises:
        ConfigError: another data format, or for_mot.
    """

    __inject__ = ["backbone", "neck", "yolo_head", "post_process"]

    def __init__(
        self,
        backbone: nn.Layer,
        neck: nn.Layer,
        yolo_head: YOLOv3Head,
        post_process: Optional[BBoxPostProcess] = None,
        data_format: str = "NCHW",
        for_mot: bool = False,
    ) -> None:
        super().__init__()
        if data_format != "NCHW" or for_mot:
            raise ConfigError("YOLOv3: only data_format: NCHW and for_mot: false are supported; remove the keys")
        self.backbone = backbone
        self.neck = neck
        self.yolo_head = yolo_head
        self.post_process = post_process or BBoxPostProcess()

    @classmethod
    def build_parts(cls, build: Callable[..., Any], args: Dict[str, Any]) -> Dict[str, Any]:
        """Build each part for the outputs of the one before."""
        backbone = build(args["backbone"])
        neck = build(args["neck"], input_shape=backbone.out_shape)
        head = build(args["yolo_head"], input_shape=neck.out_shape)
        return {**args, "backbone": backbone, "neck": neck, "yolo_head": head}

    def forward(self, images: paddle.Tensor) -> Dict[str, List[paddle.Tensor]]:
        """(B, 3, H, W) normalised images -> {"maps": [(B, channels, h, w), ...]}, coarsest level first.

        Raises:
            ConfigError: in training, a side is not a multiple of 32.
        """
        if self.training:
            check_training_sides("YOLOv3", *images.shape[2:])
        return {"maps": self.yolo_head(self.neck(self.backbone(images)))}

    def loss(self, outputs: Dict[str, List[paddle.Tensor]], batch: Dict[str, Any]) -> Dict[str, paddle.Tensor]:
        """Losses of `forward`'s outputs and their sum "loss", see `YOLOv3Loss`."""
        return self.yolo_head.loss(outputs["maps"], batch)
