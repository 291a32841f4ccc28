"""Draws labelled boxes."""
from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ppdet.visualize.palette import person_color
from ppdet.visualize.pose_drawer import box_line_width, whole_pixels
from ppdet.visualize.text_tag import draw_tag, label_scale


class BoxDrawer:
    """Draws boxes with class name and score on a background of the box's colour.

    Colours tell classes apart, or boxes if the model has only one class. Lines and labels scale with the box.

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
        shown = [row for row in range(len(scores)) if scores[row] >= threshold and np.isfinite(boxes_xyxy[row]).all()]
        colors = [person_color(row if len(self.label_names) == 1 else int(labels[row])) for row in shown]
        for row, color in zip(shown, colors):
            top_left, bottom_right = whole_pixels(boxes_xyxy[row][:2], boxes_xyxy[row][2:])
            cv2.rectangle(canvas, top_left, bottom_right, color, box_line_width(canvas, boxes_xyxy[row]))
        for row, color in reversed(list(zip(shown, colors))):  # after all boxes, and the best one's on top
            label = int(labels[row])
            name = self.label_names[label] if label < len(self.label_names) else str(label)
            draw_tag(canvas, f"{name} {scores[row]:.2f}", tuple(boxes_xyxy[row][:2]), color,
                     scale=label_scale(canvas, float(np.max(boxes_xyxy[row][2:] - boxes_xyxy[row][:2]))))
        return canvas
