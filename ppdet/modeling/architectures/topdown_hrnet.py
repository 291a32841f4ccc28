"""One heatmap per keypoint from a person's crop. B batch, K keypoints, H W input pixels, h w heatmap cells."""

from __future__ import annotations

from typing import Any, Dict, Optional, Sequence

import paddle
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.architectures.pose_model import PoseModel
from ppdet.modeling.initializer import constant_attr, normal_attr


@register
class TopDownHRNet(PoseModel):
    """A backbone and a 1x1 convolution (Sun et al., CVPR 2019); keys ``backbone.*``, ``final_conv.*``.

    Args:
        backbone: network from images to feature maps; the first map is used.
        loss: `loss(outputs, batch) -> {"loss": ...}`; None for inference only.
        codec: the codec of the recipe; the exporter uses it.
        num_joints: K.
        width: channels of the backbone's first output, which PaddleDetection's YAML repeats; only checked.
        post_process, flip_perm, flip, shift_heatmap, use_dark: PaddleDetection's keys; the codec and the evaluator
            read them from the config; the network does not use them.

    Raises:
        ConfigError: `width` contradicts the backbone, or num_joints is not positive.
    """

    __shared__ = ["num_joints", "codec"]
    __inject__ = ["backbone", "loss"]

    def __init__(
        self,
        backbone: nn.Layer,
        loss: Optional[nn.Layer] = None,
        codec: Optional[Any] = None,
        num_joints: int = 17,
        width: Optional[int] = None,
        post_process: Any = None,
        flip_perm: Optional[Sequence[Sequence[int]]] = None,
        flip: bool = True,
        shift_heatmap: bool = True,
        use_dark: bool = True,
    ) -> None:
        super().__init__()
        channels, stride = backbone.out_shape[0]
        if width is not None and width != channels:
            raise ConfigError(
                f"TopDownHRNet: width is {width}, but the backbone's first output has {channels} channels; "
                "give both the same width, or leave out TopDownHRNet's"
            )
        if num_joints < 1:
            raise ConfigError(f"TopDownHRNet: num_joints is {num_joints}; a pose has at least one keypoint")
        self.codec = codec
        self.num_joints = num_joints
        self.stride = stride
        self.backbone = backbone
        self.final_conv = nn.Conv2D(channels, num_joints, 1, weight_attr=normal_attr(0.001), bias_attr=constant_attr(0.0))
        self._loss = loss

    def forward(self, images: paddle.Tensor) -> Dict[str, paddle.Tensor]:
        """(B, 3, H, W) normalised images -> {"heatmap": (B, K, H / 4, W / 4)}."""
        return {"heatmap": self.final_conv(self.backbone(images)[0])}
