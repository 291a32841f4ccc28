"""Targets on the unit grid (Huang et al., CVPR 2020)."""

from __future__ import annotations

from ppdet.core.config.registry import register
from ppdet.data.transforms.topdown.encode_heatmap import EncodeHeatmap


@register
class ToHeatmapsTopDown_UDP(EncodeHeatmap):
    """Promises a codec with sub-pixel targets on the unit grid; see EncodeHeatmap."""

    kind = {"target": "subpixel", "grid": "unit", "window": True}
