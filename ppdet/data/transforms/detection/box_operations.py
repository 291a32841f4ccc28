"""What detection transforms do to boxes: deterministic functions on samples.

Boxes lie between pixel edges: an image of width W spans x from 0 to W. Legend: N boxes, H W pixels.
"""

from __future__ import annotations

from typing import Sequence, Tuple

import cv2
import numpy as np

from ppdet.data.samples.image import ImageSample

SMALLEST_SIDE = 1e-3
"""Pixels; a box that a transform has made smaller is dropped."""


def boxes_of(sample: ImageSample) -> np.ndarray:
    """(N, 4) boxes in pixels of the present image."""
    assert sample.boxes_input is not None, "detection transforms need a dataset whose boxes follow the image, such as COCODataSet"
    return sample.boxes_input


def pixels_of(sample: ImageSample) -> np.ndarray:
    """(H, W, 3) pixels of the sample."""
    assert sample.image is not None, "this transform needs pixels: put Decode before it"
    return sample.image


def image_size(sample: ImageSample) -> Tuple[int, int]:
    """Width and height of the present image."""
    height, width = pixels_of(sample).shape[:2]
    return width, height


def set_boxes(sample: ImageSample, boxes: np.ndarray) -> ImageSample:
    """Clip boxes to the image, and drop those of which nothing is left. In place."""
    width, height = image_size(sample)
    clipped = np.clip(boxes, 0, np.array([width, height, width, height], np.float64))
    sample.boxes_input = clipped
    kept = (clipped[:, 2:] - clipped[:, :2] > SMALLEST_SIDE).all(axis=1)
    if not kept.all():
        sample.keep_boxes(kept)
    return sample


def mirror(sample: ImageSample) -> ImageSample:
    """Left to right; twice is no change. In place."""
    width, _ = image_size(sample)
    sample.image = cv2.flip(pixels_of(sample), 1)
    boxes = boxes_of(sample)
    sample.boxes_input = np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], axis=1)
    return sample


def crop(sample: ImageSample, x1: int, y1: int, x2: int, y2: int) -> ImageSample:
    """Cut a rectangle out; boxes stay whose centre is within it. In place."""
    kept = centre_inside(boxes_of(sample), (x1, y1, x2, y2))
    sample.keep_boxes(kept)
    sample.image = np.ascontiguousarray(pixels_of(sample)[y1:y2, x1:x2])
    return set_boxes(sample, boxes_of(sample) - np.array([x1, y1, x1, y1], np.float64))


def centre_inside(boxes: np.ndarray, rectangle: Tuple[int, int, int, int]) -> np.ndarray:
    """(N,) whether a box has its centre in the rectangle (lower edges inclusive) and extent there."""
    x1, y1, x2, y2 = rectangle
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    within = (centre >= (x1, y1)).all(axis=1) & (centre < (x2, y2)).all(axis=1)
    extent = np.minimum(boxes[:, 2:], (x2, y2)) > np.maximum(boxes[:, :2], (x1, y1))
    return within & extent.all(axis=1)


def resize(sample: ImageSample, wh: Tuple[int, int], interpolation: int) -> ImageSample:
    """Stretch image and boxes to a size. In place; `im_shape` and `scale_factor` follow."""
    width, height = image_size(sample)
    factor = np.array([wh[0] / width, wh[1] / height] * 2)
    sample.image = cv2.resize(pixels_of(sample), wh, interpolation=interpolation)
    sample.im_shape = np.array([wh[1], wh[0]], np.float32)
    before = np.ones(2, np.float32) if sample.scale_factor is None else sample.scale_factor
    sample.scale_factor = (before * factor[1::-1]).astype(np.float32)
    return set_boxes(sample, boxes_of(sample) * factor)


def place_on_canvas(sample: ImageSample, wh: Tuple[int, int], corner: Tuple[int, int], color: Tuple[float, ...]) -> ImageSample:
    """Put the image on a larger one of one colour, its top-left corner at `corner`. In place."""
    image = pixels_of(sample)
    canvas = np.empty((wh[1], wh[0], 3), image.dtype)
    canvas[:] = np.asarray(color).astype(image.dtype)
    x, y = corner
    canvas[y : y + image.shape[0], x : x + image.shape[1]] = image
    sample.image = canvas
    return set_boxes(sample, boxes_of(sample) + np.array([x, y, x, y], np.float64))


def join_boxes(sample: ImageSample, samples: Sequence[ImageSample]) -> ImageSample:
    """Give one sample the boxes of all. In place."""
    sample.boxes_input = np.concatenate([boxes_of(each) for each in samples])
    scores = [np.ones(len(each.labels)) if each.box_scores is None else each.box_scores for each in samples]
    sample.boxes_xyxy = np.concatenate([each.boxes_xyxy for each in samples])
    sample.labels = np.concatenate([each.labels for each in samples])
    sample.crowd = np.concatenate([each.crowd for each in samples])
    sample.box_scores = np.concatenate(scores)
    return sample
