"""Distances between predicted and labelled keypoints as named figures: PCK, PCKh, AUC, EPE, NME, MRE, SD, SDR."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "Figure": "figure_names",
        "KeypointScores": "keypoint_scores",
        "PointErrors": "point_errors",
        "parse_figures": "figure_names",
    },
)
