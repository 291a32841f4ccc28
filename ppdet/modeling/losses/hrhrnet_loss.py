"""Losses of HigherHRNet and SWAHR. B batch, M people at most, K keypoints, h w cells of the coarse maps."""

from __future__ import annotations

from typing import Dict

import paddle
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.losses.ae_loss import AELoss
from ppdet.modeling.losses.heatmap_loss import HeatMapLoss
from ppdet.modeling.losses.heatmap_swahr_loss import HeatMapSWAHRLoss

SCALES = ("1x", "2x")


@register
class HrHRNetLoss(nn.Layer):
    """Heatmap losses of both resolutions, and the tags' pull and push losses with factor 1e-3.

    Cheng et al., CVPR 2020, sec. 3.3; with `swahr` the heatmap errors and the scale term of Luo et al., CVPR 2021.

    Args:
        num_joints: shared; not used, the maps have it.
        swahr: scale the targets by the network's scale maps.
        paddledet_exact: shared; PaddleDetection's clipping, pull and scale term instead of the authors'.
    """

    __shared__ = ["num_joints", "paddledet_exact"]

    def __init__(self, num_joints: int = 17, swahr: bool = False, paddledet_exact: bool = False) -> None:
        super().__init__()
        self.num_joints = num_joints
        self.swahr = swahr
        self.heatmap_error = (HeatMapSWAHRLoss if swahr else HeatMapLoss)(paddledet_exact=paddledet_exact)
        self.tag_error = AELoss(paddledet_exact=paddledet_exact)

    def forward(self, outputs: Dict[str, paddle.Tensor], batch: Dict[str, paddle.Tensor]) -> Dict[str, paddle.Tensor]:
        """Maps and targets to losses.

        Args:
            outputs: of `HrHRNetHead`: "heatmap_1x", "tag" (B, K, h, w), "heatmap_2x" (B, K, 2h, 2w); with `swahr` also
                "scale_1x", "scale_2x".
            batch: "heatmap_1x", "heatmap_2x" as in `outputs`; "mask_1x" (B, h, w), "mask_2x" (B, 2h, 2w), 0 where people are
                not labelled; "tag_joints" (B, M, K, 2), see `AELoss`.

        Returns:
            "heatmap_loss" of both resolutions, "pull_loss", "push_loss", with `swahr` "scale_loss", and their sum "loss".

        Raises:
            ConfigError: maps of other sizes than the targets, or no scale maps.
        """
        if self.swahr and "scale_1x" not in outputs:
            raise ConfigError("HrHRNetLoss: swahr is true, but the network gives no scale maps; set HrHRNetHead.swahr: true too")
        losses: Dict[str, paddle.Tensor] = {}
        for scale in SCALES:
            maps = [outputs[f"heatmap_{scale}"], batch[f"heatmap_{scale}"], batch[f"mask_{scale}"].astype("float32")]
            if self.swahr:
                error, regulariser = self.heatmap_error(*maps, outputs[f"scale_{scale}"])
                _add(losses, "scale_loss", regulariser)
            else:
                error = self.heatmap_error(*maps)
            _add(losses, "heatmap_loss", error)
        losses["pull_loss"], losses["push_loss"] = self.tag_error(outputs["tag"], batch["tag_joints"])
        return {"loss": paddle.add_n(list(losses.values())), **losses}


def _add(losses: Dict[str, paddle.Tensor], name: str, value: paddle.Tensor) -> None:
    losses[name] = losses[name] + value if name in losses else value
