"""Layouts of one-stage pose models: boxes with keypoints.

Legend: N images, A candidates, M people, K keypoints, D values per keypoint. Coordinates are pixels of the network input.
"""
from __future__ import annotations

import numpy as np

from ppdet.inference.estimators.onnx_outputs.candidates import Candidates, Outputs, xyxy_from_centers
from ppdet.inference.estimators.onnx_outputs.finished import counts, whole
from ppdet.inference.estimators.onnx_outputs.grids import candidate_rows


def yolo_pose(outputs: Outputs) -> list[Candidates]:
    """(N, 4 + C + D K, A)."""
    rows = candidate_rows(outputs)
    classes = len(outputs.settings.labels) or 1
    found = []
    for each in rows:
        xy, scores = _keypoints(outputs, each[:, 4 + classes :])
        found.append(Candidates(xyxy_from_centers(each), each[:, 4 : 4 + classes], None, xy, scores))
    return found


def yolo_pose_nms(outputs: Outputs) -> list[Candidates]:
    """(N, M, 6 + D K)."""
    found = []
    for each in outputs.first(3):
        xy, scores = _keypoints(outputs, each[:, 6:])
        found.append(Candidates(each[:, :4], each[:, 4], whole(each[:, 5]), xy, scores))
    return found


def yolov7_pose(outputs: Outputs) -> list[Candidates]:
    """(N, A, 6 + 3 K): centre, size, objectness, class score, keypoints."""
    found = []
    for each in outputs.first(3):
        xy, scores = _keypoints(outputs, each[:, 6:])
        found.append(Candidates(xyxy_from_centers(each), each[:, 4:5] * each[:, 5:6], None, xy, scores))
    return found


def _keypoints(outputs: Outputs, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(A, K, 2) and scores (A, K) of (A, D K) values; without a third value every keypoint counts as seen."""
    size = outputs.settings.keypoint_values
    if values.shape[1] < size or values.shape[1] % size:
        raise outputs.mismatch(f"{values.shape[1]} values are no keypoints of {size} numbers each (keypoint_values)")
    points = values.reshape(len(values), -1, size)
    return points[..., :2], points[..., 2] if size == 3 else np.ones(points.shape[:2], np.float32)


def rtmo(outputs: Outputs) -> list[Candidates]:
    """dets (N, M, 5) and keypoints (N, M, K, 3)."""
    rows, points = outputs.named("dets", rank=3), outputs.named("keypoints", rank=4)
    if rows.shape[2] != 5 or points.shape[:2] != rows.shape[:2] or points.shape[3] != 3:
        raise outputs.mismatch("dets (N, M, 5) and keypoints (N, M, K, 3) are expected")
    return [Candidates(row[:, :4], row[:, 4], np.zeros(len(row), np.int64), point[..., :2], point[..., 2])
            for row, point in zip(rows, points)]


def yolo_nas_pose(outputs: Outputs) -> list[Candidates]:
    """Counts (N, 1), boxes (N, M, 4), scores (N, M), joints (N, M, K, 3)."""
    boxes, scores = outputs.named("boxes", rank=3), outputs.named("scores", rank=2)
    points = outputs.named("joints", "poses", rank=4)
    found = []
    for i, m in enumerate(counts(outputs)):
        found.append(Candidates(boxes[i, :m], scores[i, :m], np.zeros(m, np.int64), points[i, :m, :, :2], points[i, :m, :, 2]))
    return found


