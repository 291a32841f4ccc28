"""PaddleDetection's deployment crop, to reproduce the results of its scripts.

It cuts the box x 1.3 out of the image, clipped to the image and rounded, and then warps it by the width of the cut alone. At an
image border, or around a wide box, parts of the person never reach the network; `TopDownEstimator` avoids that. Decoding uses
the rounded centre of the cut and PaddleDetection's un-warp.
"""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ppdet.geometry.crop import Crop
from ppdet.inference.estimators.top_down import TopDownEstimator, checked_boxes, with_changes

BOX_GROWTH = 1.3
TALLEST = 4.0 / 3.0  # largest height over width; a taller cut is widened


class PaddleDetTopDown(TopDownEstimator):
    """Estimates poses from PaddleDetection's crops; arguments as for `TopDownEstimator`."""

    def estimate_many(
        self, images: Sequence[np.ndarray], boxes_of_images: Sequence[np.ndarray]
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Poses of the people in several images; see `TopDownEstimator.estimate_many`."""
        return [self._estimate_image(image, checked_boxes(boxes)) for image, boxes in zip(images, boxes_of_images)]

    def _estimate_image(self, image: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        codec = with_changes(self.codec, alignment="affine", paddledet_exact=True)
        count = self.skeleton.num_keypoints
        keypoints, scores = np.empty((len(boxes), count, 2), np.float32), np.empty((len(boxes), count), np.float32)
        cuts = paddledet_cuts(boxes, (image.shape[1], image.shape[0]))
        for start in range(0, len(cuts), self.batch_size):
            rows = slice(start, start + self.batch_size)
            pixels = []
            for left, top, right, bottom in cuts[rows]:
                crop = width_crop(np.array([[right - left, bottom - top]]) / 2, right - left, codec.input_wh)
                pixels.append(codec.extract(image[top:bottom, left:right], crop))
            sizes = cuts[rows, 2:] - cuts[rows, :2]
            crops = Crop(np.round(sizes / 2) + cuts[rows, :2], sizes, np.zeros(len(sizes)), codec.input_wh, "affine")
            heatmaps = self.run_crops(np.concatenate(pixels))
            keypoints[rows], scores[rows] = codec.decode(heatmaps, crops)
        return keypoints, scores


def width_crop(center_xy: np.ndarray, width: float, input_wh: tuple[int, int]) -> Crop:
    """A crop with the given width; its height follows from the input's aspect."""
    return Crop(center_xy, np.array([[width, width * input_wh[1] / input_wh[0]]]), np.zeros(1), input_wh, "affine")


def paddledet_cuts(boxes_xyxy: np.ndarray, image_wh: tuple[int, int]) -> np.ndarray:
    """Rectangles that PaddleDetection cuts out of the image.

    Args:
        boxes_xyxy: (N, 4) image pixels.
        image_wh: size of the image.

    Returns:
        (N, 4) int64 left, top, right, bottom, at least one pixel wide and high.
    """
    boxes = np.trunc(boxes_xyxy)
    half = (boxes[:, 2:] - boxes[:, :2]) * BOX_GROWTH / 2
    half[:, 0] = np.where(half[:, 1] > half[:, 0] * TALLEST, half[:, 1] / TALLEST, half[:, 0])
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    last = np.array(image_wh) - 1
    low = np.clip(np.trunc(center - half), 0, np.maximum(last - 1, 0))
    high = np.maximum(np.minimum(np.trunc(center + half), last), low + 1)
    return np.concatenate([low, high], axis=1).astype(np.int64)
