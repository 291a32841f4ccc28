"""Draws poses on an image: limbs, joints and, if wanted, boxes.

Legend: N people, K keypoints, H W pixels. Images are RGB uint8; coordinates are image pixels with the centre of the
top-left pixel at (0, 0).
"""
from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from ppdet.core.errors import DataError
from ppdet.visualize.palette import person_color, rgb_from_bgr

if TYPE_CHECKING:
    from ppdet.skeletons import Skeleton

# cv2 draws between pixel centres when coordinates are given as fixed-point numbers with this many fraction bits.
FRACTION_BITS = 4
# Far outside any picture, and still inside OpenCV's fixed-point range.
FARTHEST_PIXEL = 16000.0


class PoseDrawer:
    """Draws every person of a frame with one skeleton.

    Built once with its style, then called for each frame. A frame is copied once, however many people and limbs there
    are, and line width follows the size of the person, so that small people stay legible and large ones visible.

    Args:
        skeleton: names the limbs and their colours; any number of keypoints.
        line_scale: multiplies the width of limbs and the radius of joints.
        draw_boxes: also draw the person boxes that `draw` is given.
    """

    def __init__(self, skeleton: Skeleton, line_scale: float = 1.0, draw_boxes: bool = True) -> None:
        self.skeleton = skeleton
        self.line_scale = float(line_scale)
        self.draw_boxes = draw_boxes
        self._links = [tuple(link) for link in skeleton.links]
        self._joint_colors = [rgb_from_bgr(color) for color in skeleton.colors]
        self._link_colors = [rgb_from_bgr(color) for color in skeleton.link_colors]

    def draw(
        self,
        image: np.ndarray,
        keypoints: np.ndarray,
        scores: np.ndarray,
        threshold: float = 0.5,
        boxes: np.ndarray | None = None,
        identities: np.ndarray | None = None,
    ) -> np.ndarray:
        """Return a copy of the image with the poses on it.

        Args:
            image: (H, W, 3) RGB uint8.
            keypoints: (N, K, 2) image pixels.
            scores: (N, K); a joint is drawn at or above the threshold, a limb if both its ends are.
            threshold: smallest score that is drawn.
            boxes: (N, 4) xyxy image pixels, or None for no boxes.
            identities: (N,) track ids that choose and label the boxes' colours; the order in the frame if None.

        Raises:
            DataError: the arrays do not fit together or do not have the skeleton's number of keypoints.
        """
        keypoints, scores = self._checked(image, keypoints, scores)
        canvas = np.array(image, copy=True, order="C")
        for person in range(len(keypoints)):
            shown = (scores[person] >= threshold) & np.isfinite(keypoints[person]).all(axis=1)
            if boxes is not None and self.draw_boxes:
                identity = None if identities is None else int(identities[person])
                self._draw_box(canvas, boxes[person], person, identity)
            self._draw_person(canvas, keypoints[person], shown)
        return canvas

    def _checked(self, image: np.ndarray, keypoints: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        count = self.skeleton.num_keypoints
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise DataError(f"cannot draw on an image of shape {image.shape} and type {image.dtype}: "
                            "expected (height, width, 3) RGB uint8")
        keypoints = np.asarray(keypoints, np.float64)
        scores = np.asarray(scores, np.float64)
        if len(keypoints) == 0:
            return np.zeros((0, count, 2)), np.zeros((0, count))
        if keypoints.shape[1:] != (count, 2) or scores.shape != keypoints.shape[:2]:
            raise DataError(f"cannot draw keypoints of shape {keypoints.shape} with scores of shape {scores.shape}: skeleton "
                            f"{self.skeleton.name!r} needs (N, {count}, 2) and (N, {count}); pass the skeleton of the model")
        return keypoints, scores

    def _draw_person(self, canvas: np.ndarray, xy: np.ndarray, shown: np.ndarray) -> None:
        if not shown.any():
            return
        size = float(np.ptp(xy[shown], axis=0).max())
        width = max(1, int(round(min(max(size, 20.0) / 70.0, 12.0) * self.line_scale)))
        points = fixed_point(xy)
        for (start, end), color in zip(self._links, self._link_colors):
            if shown[start] and shown[end]:
                cv2.line(canvas, points[start], points[end], color, width, cv2.LINE_AA, FRACTION_BITS)
        radius = (width + 1) << FRACTION_BITS
        for joint in np.flatnonzero(shown):
            cv2.circle(canvas, points[joint], radius, self._joint_colors[joint], -1, cv2.LINE_AA, FRACTION_BITS)
            if width > 2:  # a dark rim keeps a joint apart from a limb of the same colour
                cv2.circle(canvas, points[joint], radius, (30, 30, 30), 1, cv2.LINE_AA, FRACTION_BITS)

    def _draw_box(self, canvas: np.ndarray, box: np.ndarray, person: int, identity: int | None) -> None:
        if not np.isfinite(box).all():
            return
        color = person_color(person if identity is None else identity)
        width = max(1, int(round(max(canvas.shape[:2]) / 640.0 * self.line_scale)))
        top_left, bottom_right = whole_pixels(np.asarray(box, np.float64).reshape(2, 2))
        cv2.rectangle(canvas, top_left, bottom_right, color, width)
        if identity is not None:
            scale = max(canvas.shape[:2]) / 1600.0 + 0.2
            left, top = (int(np.clip(value, 0, FARTHEST_PIXEL)) for value in box[:2])
            text_height = int(26 * scale) + width
            # above the box, or inside it at the image's edge
            corner = (left + width + 1, top - 3 if top > text_height else top + text_height)
            cv2.putText(canvas, str(identity), corner, cv2.FONT_HERSHEY_SIMPLEX, scale, color, width, cv2.LINE_AA)


def fixed_point(xy: np.ndarray) -> list[tuple[int, int]]:
    """Pixel coordinates (M, 2) as OpenCV's fixed-point integers; what is not finite becomes 0 and is never drawn."""
    safe = np.clip(np.nan_to_num(xy, nan=0.0), -FARTHEST_PIXEL, FARTHEST_PIXEL)
    return [(int(x), int(y)) for x, y in np.rint(safe * (1 << FRACTION_BITS))]


def whole_pixels(xy: np.ndarray) -> list[tuple[int, int]]:
    """Finite pixel coordinates (M, 2) as whole pixels: a box is sharp where a slanting limb is smooth."""
    return [(int(x), int(y)) for x, y in np.rint(np.clip(xy, -FARTHEST_PIXEL, FARTHEST_PIXEL))]
