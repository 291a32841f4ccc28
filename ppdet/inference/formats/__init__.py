"""The formats in which poses are written: JSON, JSON Lines, CSV, Parquet, COCO, OpenPose, TRC, CSV for C3D, supervision."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "FORMATS": "table",
        "FormatOptions": "options",
        "PoseWriter": "pose_writer",
        "json_schema": "json_lines",
        "open_writer": "table",
        "read_json_lines": "json_lines",
    },
)
