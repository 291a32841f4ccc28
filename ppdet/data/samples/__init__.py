"""Samples of the data pipelines, and how they are batched."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "BottomUpSample": "bottom_up",
        "ImageSample": "image",
        "PersonSample": "person",
    },
)
