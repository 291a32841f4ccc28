"""Videos and cameras: read, process, write."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "VideoReader": "reader",
        "VideoWriter": "writer",
        "process_video": "process",
        "video_results": "estimation",
    },
)
