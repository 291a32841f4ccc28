"""Transforms of pixels alone."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "AugmentationbyInformantionDropping": "information_dropping",
        "CollimationBorder": "collimation_border",
        "ColorJitter": "color_jitter",
        "Decode": "decode",
        "NormalizeImage": "normalize_image",
        "NormalizePermute": "normalize_image",
        "PadBatch": "pad_batch",
        "Permute": "normalize_image",
        "RadiographJitter": "radiograph_jitter",
        "Resize": "resize",
    },
)
