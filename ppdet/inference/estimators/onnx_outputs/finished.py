"""Layouts whose graph has done the NMS, or needs none.

Legend: N images, M boxes, K keypoints. Coordinates are pixels of the network input. Unused rows have score 0 or class -1.
"""
from __future__ import annotations

import numpy as np

from ppdet.inference.estimators.box_decoding import split_finished_boxes
from ppdet.inference.estimators.onnx_outputs.candidates import Candidates, Outputs

CLASS_TOLERANCE = 0.01
"""Of a class number that a graph gives as a float, also one of 16 bits."""


def yolov8_nms(outputs: Outputs) -> list[Candidates]:
    """(N, M, 6 and more): corners, score, class."""
    array = outputs.first(3)
    if array.shape[2] < 6:
        raise outputs.mismatch("at least 6 columns are expected")
    classes = array[..., 5][array[..., 4] > 0]
    if (np.abs(classes - np.rint(classes)) > CLASS_TOLERANCE).any():
        raise outputs.mismatch("its sixth column holds no class numbers; are they in another column?")
    return [Candidates(rows[:, :4], rows[:, 4], whole(rows[:, 5])) for rows in array]


def mmdeploy(outputs: Outputs) -> list[Candidates]:
    """dets (N, M, 5) and labels (N, M)."""
    rows, labels = outputs.named("dets", rank=3), outputs.named("labels")
    if rows.shape[2] != 5 or labels.shape != rows.shape[:2]:
        raise outputs.mismatch("dets (N, M, 5) and labels (N, M) are expected")
    return [Candidates(row[:, :4], row[:, 4], whole(label)) for row, label in zip(rows, labels)]


def rtdetr(outputs: Outputs) -> list[Candidates]:
    """labels (N, M), boxes (N, M, 4), scores (N, M)."""
    boxes, labels, scores = outputs.named("boxes", rank=3), outputs.named("labels"), outputs.named("scores", rank=2)
    if labels.shape != scores.shape or boxes.shape[:2] != scores.shape or boxes.shape[2] != 4:
        raise outputs.mismatch("boxes, labels and scores of the same number are expected")
    return [Candidates(*each) for each in zip(boxes, scores, whole(labels))]


def counted(outputs: Outputs) -> list[Candidates]:
    """Counts (N, 1), boxes (N, M, 4), scores (N, M), classes (N, M)."""
    boxes, scores = outputs.named("boxes", rank=3), outputs.named("scores", rank=2)
    labels = outputs.named("class", "labels")
    return [Candidates(boxes[i, :m], scores[i, :m], whole(labels[i, :m])) for i, m in enumerate(counts(outputs))]


def counts(outputs: Outputs) -> list[int]:
    """Boxes of each image, from the output that counts them."""
    found = np.asarray(outputs.named("num")).reshape(-1)
    if len(found) != outputs.batch or found.min(initial=0) < 0:
        raise outputs.mismatch(f"one count for each of {outputs.batch} images is expected")
    return [int(count) for count in found]


def yolov7_nms(outputs: Outputs) -> list[Candidates]:
    """(M, 7): image, corners, class, score."""
    return _flat(outputs, score=6, label=5)


def yolo_nas_flat(outputs: Outputs) -> list[Candidates]:
    """(M, 7): image, corners, score, class."""
    return _flat(outputs, score=5, label=6)


def _flat(outputs: Outputs, score: int, label: int) -> list[Candidates]:
    rows = outputs.first(2)
    if rows.shape[1] != 7:
        raise outputs.mismatch("7 columns are expected")
    of_image = [rows[rows[:, 0] == image] for image in range(outputs.batch)]
    return [Candidates(each[:, 1:5], each[:, score], whole(each[:, label])) for each in of_image]


def torchvision(outputs: Outputs) -> list[Candidates]:
    """boxes (M, 4), then labels (M,) and scores (M,) of one image in either order. Label 0 is the background, 1 is class 0."""
    if len(outputs.arrays) < 3:
        raise outputs.mismatch("three outputs are expected")
    boxes, others = outputs.first(2), list(outputs.arrays.values())[1:3]
    labels, scores = sorted(others, key=lambda array: array.dtype.kind == "f")
    if boxes.shape[1] != 4 or not boxes.shape[:1] == labels.shape == scores.shape:
        raise outputs.mismatch("boxes, labels and scores of the same number are expected")
    return [Candidates(boxes, scores, whole(labels) - 1)]


def paddle_boxes(outputs: Outputs) -> list[Candidates]:
    """(M, 6): class, score, corners; and counts (N,)."""
    rows = outputs.first(2)
    arrays = list(outputs.arrays.values())
    if rows.shape[1] != 6 or len(arrays) < 2:
        raise outputs.mismatch("rows of 6 columns and a count are expected")
    return [Candidates(each.boxes_xyxy, each.scores, each.labels) for each in split_finished_boxes(rows, arrays[1])]


def whole(labels: np.ndarray) -> np.ndarray:
    """Class numbers as integers; graphs give them as floats, too."""
    return np.rint(np.asarray(labels, np.float64)).astype(np.int64)
