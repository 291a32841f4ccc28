"""The sample of a whole-image pipeline (training and evaluation of detectors, inference on folders).

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
        labels: (N,) class numbers 0..num_classes-1 in the order of the category ids.
        crowd: (N,) bool, boxes that stand for a group and are ignored by evaluators.
        box_scores: (N,) float64, 1 for an annotation, the detector's score for a pseudo label.
        identities: (N,) int64 of a tracker's training data, -1 where unknown; None elsewhere.
        boxes_input: (N, 4) float64 in pixels of `image` (edges: 0 to width), moved by whatever moves the image; None where boxes
            are not followed.
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
    box_scores: Optional[np.ndarray] = None
    identities: Optional[np.ndarray] = None
    boxes_input: Optional[np.ndarray] = None
    im_shape: Optional[np.ndarray] = None
    scale_factor: Optional[np.ndarray] = None

    def keep_boxes(self, rows: np.ndarray) -> None:
        """Leave only some boxes (mask or numbers). In place."""
        self.boxes_xyxy, self.labels, self.crowd = self.boxes_xyxy[rows], self.labels[rows], self.crowd[rows]
        if self.box_scores is not None:
            self.box_scores = self.box_scores[rows]
        if self.identities is not None:
            self.identities = self.identities[rows]
        if self.boxes_input is not None:
            self.boxes_input = self.boxes_input[rows]
