"""The sample of a whole-image pipeline (detectors, inference on folders).

Legend: N boxes, H W source pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional, Union

import numpy as np


def _no_boxes() -> np.ndarray:
    return np.zeros((0, 4), np.float64)


def _no_labels() -> np.ndarray:
    return np.zeros((0,), np.int64)


@dataclass
class ImageSample:
    """One image with its annotated boxes.

    Attributes:
        boxes_xyxy: (N, 4) float64 in source pixels, whatever was done to `image` since.
        labels: (N,) class numbers 0..num_classes-1 in the order of the annotation file's categories.
        crowd: (N,) bool, boxes that stand for a group and are ignored by evaluators.
        image: RGB, (H, W, 3) uint8 when read.
        im_shape: (2,) height and width of the network's image content, before padding.
        scale_factor: (2,) y and x factor from source to network pixels.
    """

    image_path: str
    image_id: Union[int, str]
    index: int
    image: Optional[np.ndarray] = None
    boxes_xyxy: np.ndarray = field(default_factory=_no_boxes)
    labels: np.ndarray = field(default_factory=_no_labels)
    crowd: np.ndarray = field(default_factory=lambda: np.zeros((0,), bool))
    im_shape: Optional[np.ndarray] = None
    scale_factor: Optional[np.ndarray] = None
