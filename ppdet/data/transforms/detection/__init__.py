"""Transforms of whole images with their boxes, for training detectors."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "AugmentHSV": "augment_hsv",
        "BatchRandomResize": "batch_random_resize",
        "BboxXYXY2XYWH": "box_units",
        "Gt2YoloTarget": "gt2yolo_target",
        "Mixup": "mixup",
        "Mosaic": "mosaic",
        "NormalizeBox": "box_units",
        "PadBox": "pad_box",
        "PadGT": "pad_gt",
        "RandomCrop": "random_crop",
        "RandomDistort": "random_distort",
        "RandomExpand": "random_expand",
        "RandomFlip": "random_flip",
    },
)
