"""Heatmaps and tags of all people in a whole image. B batch, K keypoints, H W input pixels."""

from __future__ import annotations

from typing import Any, Dict, Optional, Sequence, Tuple

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.architectures.pose_model import PoseModel


@register
class HigherHRNet(PoseModel):
    """HigherHRNet (Cheng et al., CVPR 2020), with `HrHRNetHead.swahr` SWAHR (Luo et al., CVPR 2021).

    Checkpoint keys: ``backbone.*``, ``hrhrnet_head.*``.

    Args:
        backbone: network from images to feature maps; the first map is used.
        hrhrnet_head: head for that map; it holds the loss, as in PaddleDetection's YAML.
        codec: the codec of the recipe; the exporter uses it.
        loss: replaces the head's loss.
        post_process, eval_flip, flip_perm, max_num_people: PaddleDetection's keys; the codec and the evaluator read them from
            the config; the network does not use them.

    Raises:
        ConfigError: the head expects another number of channels.
    """

    __shared__ = ["codec"]
    __inject__ = ["backbone", "hrhrnet_head", "loss"]
    loss_hint = "`loss: HrHRNetLoss` in HrHRNetHead"

    def __init__(
        self,
        backbone: nn.Layer,
        hrhrnet_head: nn.Layer,
        post_process: Any = None,
        loss: Optional[Any] = None,
        codec: Optional[Any] = None,
        eval_flip: bool = True,
        flip_perm: Optional[Sequence[int]] = None,
        max_num_people: int = 30,
    ) -> None:
        super().__init__()
        channels, stride = backbone.out_shape[0]
        if hrhrnet_head.in_channels != channels:
            raise ConfigError(
                f"HigherHRNet: HrHRNetHead.width is {hrhrnet_head.in_channels}, but the backbone's first output has {channels} "
                "channels; give both the same width"
            )
        self.codec = codec
        self.num_joints = hrhrnet_head.num_joints
        self.strides = (stride, stride // 2)
        self.backbone = backbone
        self.hrhrnet_head = hrhrnet_head
        self._loss = hrhrnet_head.loss if loss is None else loss

    def forward(self, images: paddle.Tensor) -> Dict[str, paddle.Tensor]:
        """(B, 3, H, W) normalised images, H and W multiples of 32 -> the maps of `HrHRNetHead.forward`."""
        return self.hrhrnet_head(self.backbone(images)[0])


@register
class HrHRNetPostProcess:
    """Accepted for PaddleDetection's YAML; the codec takes its thresholds and does the grouping, in all commands."""

    def __init__(self, max_num_people: int = 30, heat_thresh: float = 0.1, tag_thresh: float = 1.0) -> None:
        self.max_num_people = max_num_people
        self.heat_thresh = heat_thresh
        self.tag_thresh = tag_thresh


def averaged_maps(outputs: Dict[str, paddle.Tensor]) -> Tuple[paddle.Tensor, paddle.Tensor]:
    """Merge the maps of two resolutions into one heatmap and one tag map per keypoint (Cheng et al., CVPR 2020, sec. 3.4).

    Returns:
        Mean heatmaps and upsampled tags, both (B, K, H / 2, W / 2).
    """
    heat = 0.5 * (upsample_twice(outputs["heatmap_1x"]) + outputs["heatmap_2x"])
    return heat, upsample_twice(outputs["tag"])


def upsample_twice(maps: paddle.Tensor) -> paddle.Tensor:
    """(B, K, h, w) -> (B, K, 2 h, 2 w), bilinear, by cell edges."""
    return F.interpolate(maps, scale_factor=2, mode="bilinear", align_corners=False)
