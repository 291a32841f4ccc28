"""Crops, boxes and object keypoint similarity in NumPy.

Pixel convention of the whole toolkit: the centre of the top-left pixel is (0, 0), as in OpenCV's warps. Boxes are
``xyxy`` floats with ``w = x2 - x1``.
"""

from ppdet.geometry.boxes import box_areas, clip_boxes, iou_matrix, nms, xywh_from_xyxy, xyxy_from_xywh
from ppdet.geometry.crop import ALIGNMENTS, BOX_PADDING, Crop, box_to_center_size, crop_for_boxes, fit_aspect
from ppdet.geometry.oks import oks_matrix, oks_nms, soft_oks_nms

__all__ = [
    "ALIGNMENTS",
    "BOX_PADDING",
    "Crop",
    "box_areas",
    "box_to_center_size",
    "clip_boxes",
    "crop_for_boxes",
    "fit_aspect",
    "iou_matrix",
    "nms",
    "oks_matrix",
    "oks_nms",
    "soft_oks_nms",
    "xywh_from_xyxy",
    "xyxy_from_xywh",
]
