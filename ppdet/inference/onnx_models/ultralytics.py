"""What Ultralytics' exporters (YOLOv5 and its successors) write into an ONNX file's metadata.

The values are Python literals as text: names is "{0: 'person'}", imgsz "[640, 640]" (height first), kpt_shape "[17, 3]".
"""
from __future__ import annotations

import ast
from typing import Any

from ppdet.core.errors import ModelDirError
from ppdet.inference.runtimes.onnx_header import OnnxHeader
from ppdet.skeletons import skeleton_from_categories

COCO_KEYPOINTS = 17
MASK_VALUES = 32  # mask coefficients per box of a segmentation model


def read_metadata(header: OnnxHeader) -> dict[str, Any]:
    """Facts from the metadata; empty without any that is known.

    Returns:
        Some of: task, labels, classes (their number), input_wh, extra (values per box besides box and classes), skeleton,
        keypoint_values, end2end, nms_inside, is_rtdetr, is_yolov5.

    Raises:
        ModelDirError: metadata that contradict themselves.
    """
    values = {key: _literal(value) for key, value in header.metadata.items()}
    names = values.get("names")
    if not isinstance(names, (dict, list)) or not names:
        return {}
    tells: dict[str, Any] = {"labels": names, "classes": len(names)}
    if "task" not in values:
        return {**tells, "is_yolov5": True} if "stride" in values else tells
    tells["task"] = str(values["task"])
    size = values.get("imgsz")
    if isinstance(size, (list, tuple)) and len(size) == 2 and all(isinstance(side, int) and side > 0 for side in size):
        tells["input_wh"] = (size[1], size[0])
    if isinstance(values.get("end2end"), bool):
        tells["end2end"] = values["end2end"]
    arguments = values.get("args")
    tells["nms_inside"] = isinstance(arguments, dict) and bool(arguments.get("nms"))
    words = f"{header.metadata.get('description', '')} {header.metadata.get('head', '')}".lower().replace("-", "")
    tells["is_rtdetr"] = "rtdetr" in words
    if tells["task"] == "segment":
        tells["extra"] = MASK_VALUES
    if tells["task"] == "pose":
        tells.update(_keypoints(header, values))
    return tells


def _keypoints(header: OnnxHeader, values: dict[str, Any]) -> dict[str, Any]:
    shape = values.get("kpt_shape")
    if not (isinstance(shape, (list, tuple)) and len(shape) == 2 and all(isinstance(side, int) for side in shape)
            and shape[0] > 0 and shape[1] in (2, 3)):
        raise ModelDirError(f"{header.path}: its metadata say task pose, and kpt_shape is "
                            f"{header.metadata.get('kpt_shape')!r} where [number of keypoints, 2 or 3] belongs; export it again")
    count = int(shape[0])
    tells: dict[str, Any] = {"extra": count * shape[1], "keypoint_values": int(shape[1])}
    names = values.get("kpt_names")
    if isinstance(names, dict):  # per class
        names = next(iter(names.values()), None)
    if isinstance(names, (list, tuple)) and len(names) == count and all(isinstance(name, str) for name in names):
        tells["skeleton"] = skeleton_from_categories({"name": f"custom{count}", "keypoints": list(names)})
    elif count == COCO_KEYPOINTS:
        tells["skeleton"] = "coco17"
    return tells


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
