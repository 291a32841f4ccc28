"""The output layouts that are known, and how networks of each are usually fed.

A layout says what the outputs mean. How images are resized and normalised cannot be seen in a graph; the defaults here are those
of the toolkit that exports the layout, and a card may state others.
"""
from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Mapping

DETECTION, ONE_STAGE, TOP_DOWN = "onnx_detection", "one_stage", "top_down"

_IMAGENET_RGB: Mapping[str, Any] = {"channels": "rgb", "mean": (123.675, 116.28, 103.53), "std": (58.395, 57.12, 57.375)}
_IMAGENET_BGR: Mapping[str, Any] = {"channels": "bgr", "mean": (103.53, 116.28, 123.675), "std": (57.375, 57.12, 58.395)}
_UNIT_RGB: Mapping[str, Any] = {"channels": "rgb", "scale": 255.0}
_RAW_BGR: Mapping[str, Any] = {"channels": "bgr"}
_RAW_RGB: Mapping[str, Any] = {"channels": "rgb"}
# Without a detector behind them, poses are shown as they come: Ultralytics' own threshold.
_SURE: Mapping[str, Any] = {"score_threshold": 0.25}
# The graph has applied its own threshold.
_KEPT: Mapping[str, Any] = {"score_threshold": 0.0}
_CENTRED, _CORNER, _STRETCH = {"resize": "letterbox"}, {"resize": "letterbox_corner"}, {"resize": "stretch"}


@dataclass(frozen=True)
class Layout:
    """One output layout.

    Attributes:
        name: value of the card's `layout`.
        kind: kind of model, which picks the estimator.
        made_by: toolkits that export it, for people.
        outputs: what the outputs are, for people. N images, A candidates, C classes, K keypoints.
        defaults: settings that a card need not state.
        takes_one_image: the outputs do not say which image a box belongs to, so images are run one by one.
    """

    name: str
    kind: str
    made_by: str
    outputs: str
    defaults: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    takes_one_image: bool = False


def _layout(name: str, kind: str, made_by: str, outputs: str, *defaults: Mapping[str, Any], **more: Any) -> Layout:
    merged: dict[str, Any] = {}
    for each in (*defaults, more):
        merged.update(each)
    return Layout(name, kind, made_by, outputs, MappingProxyType(merged))


_ALL = (
    _layout("yolov8", DETECTION, "Ultralytics v5u, v8, v9, v11, v12, and v10, 26 without their own head",
            "(N, 4 + C, A): centre x, y, width, height in input pixels, class scores", _UNIT_RGB, _CENTRED, nms_threshold=0.7),
    _layout("yolov8_nms", DETECTION, "Ultralytics with nms=True; v10 and 26",
            "(N, M, 6): x1, y1, x2, y2 in input pixels, score, class", _UNIT_RGB, _CENTRED, _KEPT),
    _layout("yolov5", DETECTION, "YOLOv5, v6, v7 (--grid), YOLOX with decode_in_inference",
            "(N, A, 5 + C): centre x, y, width, height in input pixels, objectness, class scores", _UNIT_RGB, _CENTRED,
            nms_threshold=0.45),
    _layout("yolox", DETECTION, "YOLOX", "(N, A, 5 + C): offsets from the cell and logarithms of the size, in strides; "
            "objectness, class scores", _RAW_BGR, _CORNER, nms_threshold=0.45),
    _layout("yolov7_nms", DETECTION, "YOLOv7 with --end2end --max-wh",
            "(M, 7): image, x1, y1, x2, y2 in input pixels, class, score", _UNIT_RGB, _CENTRED, _KEPT),
    _layout("end2end", DETECTION, "YOLOv6, v7 with --end2end (no TensorRT operations)",
            "num_dets (N, 1), det_boxes (N, M, 4) corners in input pixels, det_scores, det_classes (N, M)", _UNIT_RGB, _CENTRED,
            _KEPT),
    _layout("yolo_nas", DETECTION, "super-gradients YOLO-NAS",
            "counts (N, 1), boxes (N, M, 4) corners in input pixels, scores and classes (N, M)", _RAW_RGB, _CENTRED, _KEPT,
            margin=4),
    _layout("yolo_nas_flat", DETECTION, "super-gradients YOLO-NAS, flat format",
            "(M, 7): image, x1, y1, x2, y2 in input pixels, score, class", _RAW_RGB, _CENTRED, _KEPT, margin=4),
    _layout("mmdeploy", DETECTION, "MMDeploy: RTMDet", "dets (N, M, 5): x1, y1, x2, y2 in input pixels, score; labels (N, M)",
            _IMAGENET_BGR, _CORNER, _KEPT),
    _layout("mmdeploy_yolox", DETECTION, "MMDeploy: YOLOX", "as mmdeploy; pixels are not normalised", _RAW_BGR, _CORNER, _KEPT),
    _layout("rtdetr", DETECTION, "RT-DETR (lyuwenyu), D-FINE, DEIM; second input orig_target_sizes",
            "labels (N, M), boxes (N, M, 4) corners, scores (N, M)", _UNIT_RGB, _STRETCH),
    _layout("rtdetr_rows", DETECTION, "Ultralytics RT-DETR",
            "(N, M, 6) or (N, M, 4 + C): centre x, y, width, height as shares of the input; score and class, or class scores",
            _UNIT_RGB, _STRETCH),
    _layout("rfdetr", DETECTION, "RF-DETR, Deformable DETR",
            "boxes (N, M, 4): centre x, y, width, height as shares of the input; logits (N, M, C), under a sigmoid",
            _IMAGENET_RGB, _STRETCH),
    _layout("detr", DETECTION, "DETR", "as rfdetr; logits (N, M, C + 1) under a softmax, the last one is the background",
            _IMAGENET_RGB, _STRETCH),
    _layout("nanodet", DETECTION, "NanoDet-Plus", "(N, A, C + 32): class scores, distributions of the four distances; points at "
            "the corners of the cells", _IMAGENET_BGR, _STRETCH, nms_threshold=0.6, pad_value=0),
    _layout("nanodet_center", DETECTION, "NanoDet before Plus", "as nanodet; points at the centres of the cells, strides 8, 16, "
            "32", _IMAGENET_BGR, _STRETCH, nms_threshold=0.6, pad_value=0),
    _layout("picodet", DETECTION, "PaddleDetection without post-processing (PicoDet)",
            "per level scores (N, A, C), then per level distributions of the four distances (N, A, 32)", _IMAGENET_RGB, _STRETCH,
            interpolation="cubic"),
    _layout("paddle_boxes", DETECTION, "PaddleDetection with NMS (PicoDet, PP-YOLOE, PP-YOLOv2); input scale_factor",
            "(M, 6): class, score, x1, y1, x2, y2; counts (N,)", _IMAGENET_RGB, _STRETCH, _KEPT, interpolation="cubic"),
    replace(_layout("torchvision", DETECTION, "torchvision: Faster R-CNN, Mask R-CNN, RetinaNet, FCOS, SSD",
                    "boxes (M, 4) corners in input pixels, labels (M,) with 0 for the background, scores (M,), of one image",
                    _UNIT_RGB, _CORNER, _KEPT), takes_one_image=True),
    _layout("boxes_scores", DETECTION, "PaddleDetection without NMS, YOLO-NAS without post-processing",
            "boxes (N, A, 4) corners in input pixels; scores (N, C, A) or (N, A, C)", _IMAGENET_RGB, _STRETCH,
            interpolation="cubic"),
    _layout("yolo_pose", ONE_STAGE, "Ultralytics pose models", "(N, 4 + C + D K, A): as yolov8, then x, y (, visibility) per "
            "keypoint", _UNIT_RGB, _CENTRED, _SURE, nms_threshold=0.7),
    _layout("yolo_pose_nms", ONE_STAGE, "Ultralytics pose models with nms=True, and 26",
            "(N, M, 6 + D K): as yolov8_nms, then x, y (, visibility) per keypoint", _UNIT_RGB, _CENTRED, _SURE),
    _layout("yolov7_pose", ONE_STAGE, "YOLOv7 pose", "(N, A, 6 + 3 K): as yolov5 with one class, then x, y, score per keypoint",
            _UNIT_RGB, _CENTRED, _SURE, nms_threshold=0.65),
    _layout("rtmo", ONE_STAGE, "MMDeploy: RTMO, YOLOX-Pose", "dets (N, M, 5): x1, y1, x2, y2, score; keypoints (N, M, K, 3)",
            _RAW_BGR, _CORNER, _SURE, nms_threshold=0.65),
    _layout("yolo_nas_pose", ONE_STAGE, "super-gradients YOLO-NAS-Pose",
            "counts (N, 1), boxes (N, M, 4), scores (N, M), joints (N, M, K, 3)", _RAW_RGB, _CORNER, _SURE, pad_value=127),
    _layout("simcc", TOP_DOWN, "MMDeploy: RTMPose, RTMW, SimCC", "simcc_x (N, K, r W), simcc_y (N, K, r H)", _IMAGENET_RGB),
    _layout("heatmap", TOP_DOWN, "MMDeploy: HRNet, ViTPose, ...; easy_ViTPose", "(N, K, h, w) heatmaps", _IMAGENET_RGB),
)  # fmt: skip

#: name -> layout
LAYOUTS: Mapping[str, Layout] = MappingProxyType({each.name: each for each in _ALL})
