"""Read the files of labelling tools into one form, COCO's."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "read_annotations": "reading",
        "AnnotationSet": "annotation_set",
    },
)
