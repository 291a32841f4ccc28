"""Convert annotations of other tools to COCO's format."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "coco_from_labelme": "labelme",
    },
)
