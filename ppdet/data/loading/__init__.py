"""From samples to batches: sampling, workers, memory."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "AnnotatedImageReader": "image_store",
        "ImageStore": "image_store",
    },
)
