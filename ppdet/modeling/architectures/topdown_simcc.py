"""A backbone and a head that classifies each axis: RTMPose (Jiang et al., arXiv:2303.07399).

Legend: B batch, K keypoints, H W input pixels.
"""

from __future__ import annotations

from typing import Dict

import paddle

from ppdet.core.config.registry import register
from ppdet.modeling.architectures.simple_baseline import SimpleBaseline


@register
class TopDownSimCC(SimpleBaseline):
    """`SimpleBaseline` whose outputs are the two of its head, `SimCCHead`."""

    loss_hint = "`loss: KLDiscretLoss`"

    def forward(self, images: paddle.Tensor) -> Dict[str, paddle.Tensor]:
        """(B, 3, H, W) normalised images -> {"simcc_x": (B, K, bins of x), "simcc_y": (B, K, bins of y)}."""
        outputs: Dict[str, paddle.Tensor] = self.head(self.backbone(images)[0])
        return outputs
