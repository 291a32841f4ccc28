"""CenterNet: a detector of centre points (Zhou et al., Objects as Points, arXiv:1904.07850)."""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, Optional

import paddle
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.heads.centernet_head import CenterNetHead


@register
class CenterNetPostProcess:
    """Settings of the decoding of an exported graph.

    Args:
        max_per_img: number of highest peaks per image.
        down_ratio: input pixels per cell of the heatmap.
        regress_ltrb: sizes are distances of the four sides, as in the head.
    """

    def __init__(self, max_per_img: int = 500, down_ratio: int = 4, regress_ltrb: bool = True) -> None:
        if max_per_img < 1 or down_ratio < 1:
            raise ConfigError(f"CenterNetPostProcess: max_per_img and down_ratio are at least 1; got {max_per_img}, {down_ratio}")
        self.max_per_img, self.down_ratio, self.regress_ltrb = max_per_img, down_ratio, regress_ltrb


@register
class CenterNet(nn.Layer):
    """Backbone, neck and head; keys ``backbone.*``, ``neck.*``, ``head.*``.

    Args:
        backbone: network from images to feature maps.
        neck: made for the backbone's `out_shape`.
        head: made for the neck's map.
        post_process: settings of the decoding; None takes the defaults.
        for_mot: PaddleDetection's key; it follows from the architecture.

    Raises:
        ConfigError: neck, head and decoding have different strides or sizes.
    """

    __shared__ = ["for_mot"]
    __inject__ = ["backbone", "neck", "head", "post_process"]

    def __init__(
        self,
        backbone: nn.Layer,
        neck: nn.Layer,
        head: CenterNetHead,
        post_process: Optional[CenterNetPostProcess] = None,
        for_mot: bool = False,
    ) -> None:
        super().__init__()
        stride = neck.out_shape[0].stride
        self.post_process = post_process or CenterNetPostProcess(down_ratio=stride, regress_ltrb=head.regress_ltrb)
        if self.post_process.down_ratio != stride or self.post_process.regress_ltrb != head.regress_ltrb:
            raise ConfigError(
                f"CenterNet: the neck's down_ratio is {stride} and the head's regress_ltrb {head.regress_ltrb}, post_process has "
                f"{self.post_process.down_ratio} and {self.post_process.regress_ltrb}; they must agree"
            )
        self.backbone, self.neck, self.head = backbone, neck, head

    @classmethod
    def build_parts(cls, build: Callable[..., Any], args: Dict[str, Any]) -> Dict[str, Any]:
        """Build from the backbone on, because each part depends on the shape of the one before."""
        backbone = build(args["backbone"])
        neck = build(args["neck"], input_shape=backbone.out_shape)
        return {**args, "backbone": backbone, "neck": neck, "head": build(args["head"], input_shape=neck.out_shape)}

    def forward(self, images: paddle.Tensor) -> Dict[str, paddle.Tensor]:
        """(B, 3, H, W) normalised images -> the head's maps and "feature", the neck's map."""
        feature = self.neck(self.backbone(images))
        return {**self.head(feature), "feature": feature}

    def loss(self, outputs: Mapping[str, paddle.Tensor], batch: Mapping[str, Any]) -> Dict[str, paddle.Tensor]:
        """Losses of `forward`'s outputs, see `CenterNetHead.loss`; "loss" is "det_loss"."""
        losses = self.head.loss(outputs, batch)
        return {**losses, "loss": losses["det_loss"]}
