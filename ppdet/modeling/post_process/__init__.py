"""Raw maps of a detector to boxes, and suppression in the graph."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "BBoxPostProcess": "bbox_post_process",
        "MatrixNMS": "matrix_nms",
        "YOLOBox": "yolo_box",
    },
)
