"""Files that inference reads and writes."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "ImageInputs": "inputs",
        "JsonListWriter": "json_results",
        "JsonResultsWriter": "json_results",
        "OutputFolder": "output_folder",
        "PoseFile": "pose_files",
        "PosedImage": "pose_files",
        "read_pose_file": "pose_files",
    },
)
