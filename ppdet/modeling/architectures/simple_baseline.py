"""A backbone and a heatmap head (Xiao et al., ECCV 2018): Simple Baselines, SimplePose, LPN, ViTPose.

Legend: B batch, K keypoints, H W input pixels.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Optional

import paddle
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.architectures.pose_model import PoseModel


@register
class SimpleBaseline(PoseModel):
    """Keys ``backbone.*`` and ``head.*``.

    Args:
        backbone: network from images to feature maps; the first map is used.
        head: head for that map.
        loss: `loss(outputs, batch) -> {"loss": ...}`; None for inference only.
        codec: the codec of the recipe; the exporter uses it.
        flip: evaluate with mirrored crops as well; the evaluator reads it from the config.

    Raises:
        ConfigError: the head expects another number of channels.
    """

    __shared__ = ["codec"]
    __inject__ = ["backbone", "head", "loss"]

    def __init__(
        self,
        backbone: nn.Layer,
        head: nn.Layer,
        loss: Optional[nn.Layer] = None,
        codec: Optional[Any] = None,
        flip: bool = True,
    ) -> None:
        super().__init__()
        channels, stride = backbone.out_shape[0]
        if head.in_channels != channels:
            raise ConfigError(
                f"{type(self).__name__}: the head takes {head.in_channels} channels, the backbone gives {channels}; "
                "make the head with input_shape=backbone.out_shape"
            )
        self.codec = codec
        self.num_joints = head.num_joints
        self.stride = stride // head.scale
        self.backbone = backbone
        self.head = head
        self._loss = loss

    @classmethod
    def build_parts(cls, build: Callable[..., Any], args: Dict[str, Any]) -> Dict[str, Any]:
        """Build the backbone first; the head depends on its output."""
        backbone = build(args["backbone"])
        return {**args, "backbone": backbone, "head": build(args["head"], input_shape=backbone.out_shape)}

    def forward(self, images: paddle.Tensor) -> Dict[str, paddle.Tensor]:
        """(B, 3, H, W) normalised images -> {"heatmap": (B, K, H / 4, W / 4)}."""
        return {"heatmap": self.head(self.backbone(images)[0])}
