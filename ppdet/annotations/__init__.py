"""Annotation files: read once, turned into one form, and judged by one rule for datasets, metrics and drawing."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "coco_content": "coco_file",
        "read_coco": "coco_file",
        "select_categories": "coco_file",
    },
)
