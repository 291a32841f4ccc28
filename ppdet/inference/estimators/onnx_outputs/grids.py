"""Layouts without NMS inside: one candidate per anchor, point or query.

Legend: N images, A candidates, C classes. Coordinates are pixels of the network input.
"""
from __future__ import annotations

import numpy as np

from ppdet.inference.estimators.box_decoding import decode_distribution
from ppdet.inference.estimators.onnx_outputs.candidates import Candidates, Outputs, grid_of, sigmoid, xyxy_from_centers
from ppdet.inference.onnx_models.recognition import GRIDS, cells_of
from ppdet.inference.onnx_models.ultralytics import MASK_VALUES

BINS = 32
STRIDES = (8, 16, 32)
STRIDES_NANODET = (8, 16, 32, 64)


def yolov8(outputs: Outputs) -> list[Candidates]:
    """(N, 4 + C, A); mask coefficients behind the classes are left out."""
    rows = candidate_rows(outputs)
    channels = rows.shape[2]
    has_masks = any(array.ndim == 4 and array.shape[1] == MASK_VALUES for array in outputs.arrays.values())
    classes = len(outputs.settings.labels) or channels - 4 - (MASK_VALUES if has_masks else 0)
    if channels - 4 - classes not in (0, MASK_VALUES) or classes < 1:
        raise outputs.mismatch(f"{channels} channels are not 4 and {max(classes, 1)} classes")
    return [Candidates(xyxy_from_centers(each), each[:, 4 : 4 + classes]) for each in rows]


def candidate_rows(outputs: Outputs) -> np.ndarray:
    """(N, A, values) of (N, values, A), or of (N, A, values) where the number of cells tells that it is this."""
    array = outputs.first(3)
    numbers = {cells_of(outputs.input_wh, strides) for strides in GRIDS}
    if array.shape[1] in {3 * number for number in numbers} and array.shape[2] not in numbers:
        raise outputs.mismatch("three rows per cell are those of layout yolov5")
    is_rows = array.shape[1] in numbers and array.shape[2] < array.shape[1]
    return array if is_rows else np.swapaxes(array, 1, 2)


def yolov5(outputs: Outputs) -> list[Candidates]:
    """(N, A, 5 + C)."""
    rows = _with_classes(outputs)
    return [Candidates(xyxy_from_centers(each), each[:, 4:5] * each[:, 5:]) for each in rows]


def yolox(outputs: Outputs) -> list[Candidates]:
    """(N, A, 5 + C), undecoded: Ge et al., YOLOX, arXiv:2107.08430; centre = (offset + cell) stride, size = exp(size) stride."""
    rows = _with_classes(outputs)
    grid, stride = grid_of(outputs, tuple(outputs.settings.strides or STRIDES), rows.shape[1], 0.0)
    found = []
    for each in rows:
        center = (each[:, :2] + grid) * stride
        size = np.exp(np.minimum(each[:, 2:4], 20)) * stride  # of noise, too: no overflow
        found.append(Candidates(xyxy_from_centers(np.concatenate([center, size], axis=1)), each[:, 4:5] * each[:, 5:]))
    return found


def _with_classes(outputs: Outputs) -> np.ndarray:
    array = outputs.first(3)
    classes = len(outputs.settings.labels) or array.shape[2] - 5
    if array.shape[2] != 5 + classes or classes < 1:
        raise outputs.mismatch(f"{array.shape[2]} columns are not 5 and {max(classes, 1)} classes")
    numbers = {factor * cells_of(outputs.input_wh, strides) for strides in GRIDS for factor in (1, 3)}
    if array.shape[2] in numbers and array.shape[1] not in numbers:
        raise outputs.mismatch("one column per cell is that of layout yolov8")
    return array


def nanodet(outputs: Outputs) -> list[Candidates]:
    """(N, A, C + 32), points at the corners of the cells."""
    return _distances(outputs, STRIDES_NANODET, 0.0)


def nanodet_center(outputs: Outputs) -> list[Candidates]:
    """(N, A, C + 32), points at the centres of the cells."""
    return _distances(outputs, STRIDES, 0.5)


def _distances(outputs: Outputs, strides: tuple[int, ...], offset: float) -> list[Candidates]:
    array = outputs.first(3)
    if array.shape[2] <= BINS:
        raise outputs.mismatch(f"more than {BINS} columns are expected")
    grid, stride = grid_of(outputs, tuple(outputs.settings.strides or strides), array.shape[1], offset)
    limit = np.array([*outputs.input_wh, *outputs.input_wh], np.float32)
    found = []
    for each in array:
        sides = decode_distribution(each[:, -BINS:]) * stride
        boxes = np.concatenate([grid * stride - sides[:, :2], grid * stride + sides[:, 2:]], axis=1)
        found.append(Candidates(np.clip(boxes, 0, limit), each[:, :-BINS]))
    return found


def picodet(outputs: Outputs) -> list[Candidates]:
    """Per level scores, then per level distributions; points at the centres of the cells."""
    arrays = [np.asarray(array, np.float32) for array in outputs.arrays.values()]
    levels = len(arrays) // 2
    if len(arrays) % 2 or not arrays or any(array.ndim != 3 for array in arrays):
        raise outputs.mismatch("as many maps of scores as of distances are expected")
    scores, distances = np.concatenate(arrays[:levels], axis=1), np.concatenate(arrays[levels:], axis=1)
    strides = tuple(outputs.settings.strides or (8 * 2**level for level in range(levels)))
    if scores.shape[:2] != distances.shape[:2] or distances.shape[2] % 4:
        raise outputs.mismatch("scores and distances have different numbers of points")
    grid, stride = grid_of(outputs, strides, scores.shape[1], 0.5)
    found = []
    for image_scores, image_distances in zip(scores, distances):
        sides = decode_distribution(image_distances) * stride
        boxes = np.concatenate([grid * stride - sides[:, :2], grid * stride + sides[:, 2:]], axis=1)
        found.append(Candidates(boxes, image_scores))
    return found


def boxes_scores(outputs: Outputs) -> list[Candidates]:
    """Boxes (N, A, 4) and scores (N, C, A) or (N, A, C)."""
    arrays = [np.asarray(array, np.float32) for array in outputs.arrays.values()]
    if len(arrays) < 2 or any(array.ndim != 3 for array in arrays[:2]) or arrays[0].shape[2] != 4:
        raise outputs.mismatch("boxes (N, A, 4) and scores are expected")
    boxes, scores = arrays[:2]
    count = boxes.shape[1]
    if scores.shape[1] != count and scores.shape[2] == count:
        scores = np.swapaxes(scores, 1, 2)
    if scores.shape[1] != count:
        raise outputs.mismatch(f"there are {count} boxes, and scores of another number")
    return [Candidates(box, score) for box, score in zip(boxes, scores)]


def rfdetr(outputs: Outputs) -> list[Candidates]:
    """Queries with logits under a sigmoid. Queries need no NMS."""
    boxes, logits = _queries(outputs)
    return [_best_classes(box, sigmoid(logit)) for box, logit in zip(boxes, logits)]


def detr(outputs: Outputs) -> list[Candidates]:
    """Queries with logits under a softmax, the background last: Carion et al., DETR, ECCV 2020."""
    boxes, logits = _queries(outputs)
    weights = np.exp(logits - logits.max(axis=2, keepdims=True))
    shares = weights / weights.sum(axis=2, keepdims=True)
    return [_best_classes(box, share[:, :-1]) for box, share in zip(boxes, shares)]


def rtdetr_rows(outputs: Outputs) -> list[Candidates]:
    """(N, M, 6) with score and class, or (N, M, 4 + C) with class scores; boxes as shares of the input."""
    array = outputs.first(3)
    if array.shape[2] < 5:
        raise outputs.mismatch("at least 5 columns are expected")
    boxes = xyxy_from_centers(array) * _size(outputs)
    # Scores of two classes, which have as many columns, are no whole numbers.
    if array.shape[2] == 6 and bool((array[..., 5] == np.rint(array[..., 5])).all()):
        return [Candidates(box, rows[:, 4], rows[:, 5].astype(np.int64)) for box, rows in zip(boxes, array)]
    return [_best_classes(box, rows[:, 4:]) for box, rows in zip(boxes, array)]


def _queries(outputs: Outputs) -> tuple[np.ndarray, np.ndarray]:
    boxes = outputs.named("dets", "boxes", rank=3)
    logits = outputs.named("labels", "logits", rank=3)
    if boxes.shape[2] != 4 or logits.shape[1] != boxes.shape[1]:
        raise outputs.mismatch("boxes (N, M, 4) and logits (N, M, C) are expected")
    return xyxy_from_centers(boxes) * _size(outputs), logits


def _size(outputs: Outputs) -> np.ndarray:
    return np.array([*outputs.input_wh, *outputs.input_wh], np.float32)


def _best_classes(boxes: np.ndarray, scores: np.ndarray) -> Candidates:
    """Each query with each of its classes above 1 percent, as finished boxes: a query may give two classes."""
    rows, labels = np.nonzero(scores > 0.01)
    return Candidates(boxes[rows], scores[rows, labels], labels.astype(np.int64))
