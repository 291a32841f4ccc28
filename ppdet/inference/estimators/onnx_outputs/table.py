"""Layout name -> decoder, and NMS where the graph has none."""
from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Callable

import numpy as np

from ppdet.core.errors import ModelDirError
from ppdet.inference.estimators.box_decoding import classwise_rows
from ppdet.inference.estimators.onnx_outputs import finished, grids, poses
from ppdet.inference.estimators.onnx_outputs.candidates import Candidates, Outputs

Decoder = Callable[[Outputs], "list[Candidates]"]
# Candidates that NMS looks at, per class: as many as Ultralytics takes, more than an input of 640 pixels has.
NMS_CANDIDATES = 30000

DECODERS: Mapping[str, Decoder] = MappingProxyType({
    "yolov8": grids.yolov8, "yolov8_nms": finished.yolov8_nms, "yolov5": grids.yolov5, "yolox": grids.yolox,
    "yolov7_nms": finished.yolov7_nms, "end2end": finished.counted, "yolo_nas": finished.counted,
    "yolo_nas_flat": finished.yolo_nas_flat, "mmdeploy": finished.mmdeploy, "mmdeploy_yolox": finished.mmdeploy,
    "rtdetr": finished.rtdetr, "rtdetr_rows": grids.rtdetr_rows, "rfdetr": grids.rfdetr, "detr": grids.detr,
    "nanodet": grids.nanodet, "nanodet_center": grids.nanodet_center, "picodet": grids.picodet,
    "torchvision": finished.torchvision, "paddle_boxes": finished.paddle_boxes, "boxes_scores": grids.boxes_scores,
    "yolo_pose": poses.yolo_pose,
    "yolo_pose_nms": poses.yolo_pose_nms, "yolov7_pose": poses.yolov7_pose, "rtmo": poses.rtmo,
    "yolo_nas_pose": poses.yolo_nas_pose,
})  # fmt: skip
"""Name of a layout of `onnx_models.layouts` -> what decodes it. Top-down layouts are decoded by their codec."""


def decode_outputs(outputs: Outputs) -> list[Candidates]:
    """Boxes after NMS of each image, best first, with labels.

    Raises:
        ModelDirError: the outputs do not fit the layout, or are not finite.
    """
    found = DECODERS[outputs.settings.layout](outputs)
    if len(found) != outputs.batch:
        raise outputs.mismatch(f"{len(found)} images come out for {outputs.batch}")
    return [_finished(outputs, each) for each in found]


def _finished(outputs: Outputs, found: Candidates) -> Candidates:
    settings = outputs.settings
    if np.isnan(found.scores).any():
        raise ModelDirError("the network's scores hold NaN: the weights are broken or half precision overflowed")
    if found.labels is None:
        limits = {"score_threshold": settings.score_threshold, "nms_threshold": settings.nms_threshold,
                  "nms_top_k": NMS_CANDIDATES, "keep_top_k": settings.max_boxes}
        rows, labels = classwise_rows(found.boxes, found.scores, limits)
        kept = found[rows]
        found = Candidates(kept.boxes, found.scores[rows, labels], labels, kept.keypoints, kept.keypoint_scores)
    else:
        sure = (found.scores > settings.score_threshold) & (found.labels >= 0)
        found = found[sure]
        found = found[np.argsort(-found.scores, kind="stable")[: settings.max_boxes]]
    parts = [each for each in (found.boxes, found.keypoints) if each is not None]
    if not all(np.isfinite(part).all() for part in parts):
        raise ModelDirError("the network gives boxes or keypoints that are not finite: the weights are broken or half precision "
                            "overflowed")
    return found
