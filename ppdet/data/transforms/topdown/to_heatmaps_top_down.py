"""Targets on the nearest cell (Xiao et al., ECCV 2018)."""

from __future__ import annotations

from ppdet.core.config.registry import register
from ppdet.data.transforms.topdown.encode_heatmap import EncodeHeatmap


@register
class ToHeatmapsTopDown(EncodeHeatmap):
    """Promises a codec with rounded targets on the stride grid; see EncodeHeatmap."""

    kind = {"target": "rounded", "grid": "stride"}
