"""CenterNet's head: objects as centre points (Zhou et al., Objects as Points, arXiv:1904.07850).

Legend: B batch, C classes, h w cells of the map, M boxes at most, S numbers of a size (4, or 2).
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Sequence

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.initializer import constant_attr
from ppdet.modeling.layers.plain_conv import prediction_branch
from ppdet.modeling.losses.ctfocal_loss import CTFocalLoss
from ppdet.modeling.shape_spec import ShapeSpec, input_channels

LOSS_WEIGHTS = {"heatmap": 1.0, "size": 0.1, "offset": 1.0, "iou": 0.0}
EPSILON = 1e-4


@register
class CenterNetHead(nn.Layer):
    """Heatmap of centres, sizes, and offsets of the centres within their cells.

    Keys ``heatmap.*``, ``size.*``, ``offset.*``.

    Args:
        in_channels: of the neck; filled in.
        num_classes: C.
        head_planes: channels between the two convolutions of a branch.
        prior_bias: initial bias of the heatmap, a logit: centres are rare.
        regress_ltrb: sizes are distances of the four sides from the centre, else width and height.
        size_loss: "L1".
        loss_weight: factors of the losses "heatmap", "size" and "offset".
        add_iou: PaddleDetection's branch for IoU scores; only False.
        input_shape: of the neck.

    Raises:
        ConfigError: another loss, an IoU branch, or unknown weights.
    """

    __shared__ = ["num_classes"]

    def __init__(
        self,
        in_channels: Optional[int] = None,
        num_classes: int = 80,
        head_planes: int = 256,
        prior_bias: float = -2.19,
        regress_ltrb: bool = True,
        size_loss: str = "L1",
        loss_weight: Optional[Mapping[str, float]] = None,
        add_iou: bool = False,
        input_shape: Optional[Sequence[ShapeSpec]] = None,
    ) -> None:
        super().__init__()
        weights = {**LOSS_WEIGHTS, **(loss_weight or {})}
        if size_loss != "L1" or add_iou or set(weights) != set(LOSS_WEIGHTS) or weights["iou"]:
            raise ConfigError("CenterNetHead: only size_loss: L1 without add_iou is here, and loss_weight has heatmap, size, "
                              f"offset; given {size_loss!r}, {add_iou} and {dict(loss_weight or {})}")  # fmt: skip
        channels = input_channels("CenterNetHead", in_channels, input_shape)
        self.num_classes, self.regress_ltrb, self.loss_weight = num_classes, regress_ltrb, weights
        self.heatmap = prediction_branch(channels, head_planes, num_classes, constant_attr(prior_bias))
        self.size = prediction_branch(channels, head_planes, 4 if regress_ltrb else 2)
        self.offset = prediction_branch(channels, head_planes, 2)
        self.focal_loss = CTFocalLoss()

    def forward(self, feature: paddle.Tensor) -> Dict[str, paddle.Tensor]:
        """(B, in, h, w) -> "heatmap" (B, C, h, w) in [0, 1], "size" (B, S, h, w) in cells, "offset" (B, 2, h, w)."""
        return {"heatmap": F.sigmoid(self.heatmap(feature)), "size": self.size(feature), "offset": self.offset(feature)}

    def loss(self, outputs: Mapping[str, paddle.Tensor], batch: Mapping[str, Any]) -> Dict[str, paddle.Tensor]:
        """Losses of `forward`'s outputs.

        Args:
            outputs: of `forward`.
            batch: "center_heatmap" (B, C, h, w), "center_index" (B, M), "center_mask" (B, M), "center_size" (B, M, S),
                "center_offset" (B, M, 2); made by `Gt2FairMOTTarget`.

        Returns:
            "heatmap_loss", "size_loss" and "offset_loss", and their weighted sum "det_loss".
        """
        index, mask = batch["center_index"], batch["center_mask"].astype("float32")
        losses = {
            "heatmap_loss": self.focal_loss(outputs["heatmap"], batch["center_heatmap"]),
            "size_loss": _masked_l1(gather_cells(outputs["size"], index), batch["center_size"], mask),
            "offset_loss": _masked_l1(gather_cells(outputs["offset"], index), batch["center_offset"], mask),
        }
        weighted = (self.loss_weight[name] * losses[f"{name}_loss"] for name in ("heatmap", "size", "offset"))
        return {**losses, "det_loss": sum(weighted)}


def gather_cells(maps: paddle.Tensor, index: paddle.Tensor) -> paddle.Tensor:
    """(B, D, h, w) at the cells (B, M), numbered row by row -> (B, M, D)."""
    flat = maps.flatten(2).transpose([0, 2, 1])
    return paddle.take_along_axis(flat, index.astype("int64").unsqueeze(-1).expand([-1, -1, flat.shape[2]]), axis=1)


def _masked_l1(found: paddle.Tensor, target: paddle.Tensor, mask: paddle.Tensor) -> paddle.Tensor:
    """Mean of the absolute differences of the rows that count."""
    weight = mask.unsqueeze(-1).expand_as(target)
    return ((found - target).abs() * weight).sum() / (weight.sum() + EPSILON)
