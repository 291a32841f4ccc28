"""Balance of detection and identity losses by learned uncertainties (Kendall et al., CVPR 2018; FairMOT, IJCV 2021, eq. 4)."""

from __future__ import annotations

import paddle
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.modeling.initializer import constant_attr


@register
class FairMOTLoss(nn.Layer):
    """Half of exp(-w) loss + w, summed over both losses; keys ``det_weight``, ``reid_weight``.

    Args:
        det_weight, reid_weight: initial weights w, which are learned.
    """

    def __init__(self, det_weight: float = -1.85, reid_weight: float = -1.05) -> None:
        super().__init__()
        self.det_weight = self.create_parameter([1], attr=constant_attr(det_weight), dtype="float32")
        self.reid_weight = self.create_parameter([1], attr=constant_attr(reid_weight), dtype="float32")

    def forward(self, detection: paddle.Tensor, identity: paddle.Tensor) -> paddle.Tensor:
        """Two numbers -> a number."""
        pairs = ((self.det_weight, detection), (self.reid_weight, identity))
        return 0.5 * sum((paddle.exp(-weight) * loss + weight).sum() for weight, loss in pairs)
