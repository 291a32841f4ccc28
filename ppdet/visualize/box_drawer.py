"""Draws labelled boxes."""
from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ppdet.visualize.palette import person_color
from ppdet.visualize.pose_drawer import whole_pixels


class BoxDrawer:
    """Draws boxes with class name and score, a colour for each class.

    Args:
        label_names: names of the classes; a class beyond them is shown by its number.
    """

    def __init__(self, label_names: Sequence[str] = ()) -> None:
        self.label_names = [str(name) for name in label_names]

    def draw(
        self, image: np.ndarray, boxes_xyxy: np.ndarray, scores: np.ndarray, labels: np.ndarray, threshold: float = 0.5
    ) -> np.ndarray:
        """Return a copy of the image with the boxes on it.

        Args:
            image: (H, W, 3) RGB uint8.
            boxes_xyxy: (N, 4) image pixels.
            scores: (N,).
            labels: (N,) class numbers.
            threshold: smallest score that is drawn.
        """
        canvas = np.array(image, copy=True, order="C")
        width = max(1, int(round(max(canvas.shape[:2]) / 480.0)))
        text_scale = max(canvas.shape[:2]) / 1600.0 + 0.25
        for box, score, label in zip(boxes_xyxy, scores, labels):
            if score < threshold:
                continue
            color = person_color(int(label))
            top_left, bottom_right = whole_pixels(np.asarray(box, np.float64).reshape(2, 2))
            cv2.rectangle(canvas, top_left, bottom_right, color, width)
            name = self.label_names[int(label)] if int(label) < len(self.label_names) else str(int(label))
            corner = (int(box[0]) + 2, max(int(box[1]) - 3, 12))
            cv2.putText(canvas, f"{name} {score:.2f}", corner, cv2.FONT_HERSHEY_SIMPLEX, text_scale, color, width, cv2.LINE_AA)
        return canvas
