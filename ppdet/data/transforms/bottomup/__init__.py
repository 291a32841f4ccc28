"""Transforms of whole images with all their people."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "EvalAffine": "eval_affine",
        "KeyPointFlip": "key_point_flip",
        "RandomAffine": "random_affine",
        "TagGenerate": "to_heatmaps",
        "ToHeatmaps": "to_heatmaps",
    },
)
