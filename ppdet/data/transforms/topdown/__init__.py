"""Transforms of one person's crop."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "EncodeHeatmap": "encode_heatmap",
        "EncodeSimCC": "encode_simcc",
        "RandomFlipHalfBodyTransform": "random_flip_half_body",
        "ToHeatmapsTopDown": "encode_heatmap",
        "ToHeatmapsTopDown_DARK": "encode_heatmap",
        "ToHeatmapsTopDown_UDP": "encode_heatmap",
        "TopDownAffine": "top_down_affine",
        "TopDownEvalAffine": "top_down_affine",
        "TopDownGetRandomScaleRotation": "random_steps",
        "TopDownRandomBoxCrop": "top_down_random_box_crop",
        "TopDownRandomFlip": "random_steps",
        "TopDownRandomPerspective": "top_down_random_perspective",
        "TopDownRandomQuarterTurn": "top_down_random_quarter_turn",
        "TopDownRandomShiftBboxCenter": "random_steps",
    },
)
