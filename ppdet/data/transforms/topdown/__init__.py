"""Transforms of one person's crop."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "EncodeHeatmap": "encode_heatmap",
        "RandomFlipHalfBodyTransform": "random_flip_half_body",
        "ToHeatmapsTopDown": "to_heatmaps_top_down",
        "ToHeatmapsTopDown_DARK": "to_heatmaps_top_down_dark",
        "ToHeatmapsTopDown_UDP": "to_heatmaps_top_down_udp",
        "TopDownAffine": "top_down_affine",
        "TopDownEvalAffine": "top_down_eval_affine",
        "TopDownGetRandomScaleRotation": "top_down_scale_rotation",
        "TopDownRandomBoxCrop": "top_down_random_box_crop",
        "TopDownRandomFlip": "top_down_random_flip",
        "TopDownRandomPerspective": "top_down_random_perspective",
        "TopDownRandomShiftBboxCenter": "top_down_random_shift",
    },
)
