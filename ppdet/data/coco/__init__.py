"""Read COCO-style annotation and result files."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "AnnotationReport": "report",
        "ImageTable": "person_table",
        "PersonTable": "person_table",
        "read_coco": "file",
    },
)
