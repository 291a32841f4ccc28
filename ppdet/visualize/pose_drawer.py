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
from ppdet.visualize.text_tag import draw_tag

if TYPE_CHECKING:
    from ppdet.skeletons import Skeleton

# cv2 draws between pixel centres when coordinates are given as fixed-point numbers with this many fraction bits.
FRACTION_BITS = 4
# Links between two of these are the torso. It wears the person's colour, so that people who overlap can be told apart, and the
# limbs keep those of left and right.
TORSO = {"left_shoulder", "right_shoulder", "left_hip", "right_hip", "neck", "upper_neck", "thorax", "pelvis"}
SHADE = (24, 24, 24)
# Far outside any picture, and still inside OpenCV's fixed-point range.
FARTHEST_PIXEL = 16000.0


class PoseDrawer:
    """Draws every person of a frame with one skeleton.

    Built once with its style, then called for each frame. A frame is copied once, however many people and limbs there
    are. Lines and joints follow the size of the person, so that small people stay legible and large ones visible; small
    people are drawn over large ones.

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
        self._torso = [skeleton.names[start] in TORSO and skeleton.names[end] in TORSO for start, end in self._links]

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
            identities: (N,) track ids that choose colours and label the boxes; None goes by the order, without labels.

        Raises:
            DataError: the arrays do not fit together or do not have the skeleton's number of keypoints.
        """
        keypoints, scores = self._checked(image, keypoints, scores)
        canvas = np.array(image, copy=True, order="C")
        shown = (scores >= threshold) & np.isfinite(keypoints).all(axis=2)
        with_boxes = boxes is not None and self.draw_boxes
        # Counted from 1 like tracks: the colour of 0 is that of left limbs.
        names = np.arange(1, len(keypoints) + 1) if identities is None else np.asarray(identities)
        boxes_or_none = [None] * len(keypoints) if boxes is None else boxes
        sizes = np.array([person_size(xy[seen], box) for xy, seen, box in zip(keypoints, shown, boxes_or_none)])
        order = np.argsort(-sizes, kind="stable")
        for person in order if with_boxes else ():
            self._draw_box(canvas, boxes[person], person_color(int(names[person])))
        for person in order:
            self._draw_person(canvas, keypoints[person], shown[person], sizes[person], person_color(int(names[person])))
        for person in order if with_boxes and identities is not None else ():
            if np.isfinite(boxes[person]).all():
                draw_tag(canvas, str(names[person]), tuple(boxes[person][:2]), person_color(int(names[person])))
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

    def _draw_person(
        self, canvas: np.ndarray, xy: np.ndarray, shown: np.ndarray, size: float, color: tuple[int, int, int]
    ) -> None:
        if not shown.any():
            return
        width = max(1, int(round(min(size / 100.0, 10.0) * self.line_scale)))
        points = fixed_point(xy)
        limbs = [row for row, (start, end) in enumerate(self._links) if shown[start] and shown[end]]
        if width > 1:  # a dark seam round the limbs, for grounds of their own colour and for other people's limbs
            for row in limbs:
                start, end = self._links[row]
                cv2.line(canvas, points[start], points[end], SHADE, width + 2, cv2.LINE_AA, FRACTION_BITS)
        for row in limbs:
            start, end = self._links[row]
            line = color if self._torso[row] else self._link_colors[row]
            cv2.line(canvas, points[start], points[end], line, width, cv2.LINE_AA, FRACTION_BITS)
        # From 1 px for a person of 50 px; faces have five joints within a seventh of the person's size.
        radius = float(np.clip(size / 120.0, 1.0, 8.0)) * max(self.line_scale, 0.1)
        for joint in np.flatnonzero(shown):
            if radius > 2.5:
                cv2.circle(canvas, points[joint], int((radius + 1) * (1 << FRACTION_BITS)), SHADE, -1, cv2.LINE_AA, FRACTION_BITS)
            cv2.circle(canvas, points[joint], int(radius * (1 << FRACTION_BITS)), self._joint_colors[joint], -1, cv2.LINE_AA,
                       FRACTION_BITS)

    def _draw_box(self, canvas: np.ndarray, box: np.ndarray, color: tuple[int, int, int]) -> None:
        height, width = canvas.shape[:2]
        is_picture = box[0] <= 0 and box[1] <= 0 and box[2] >= width - 1 and box[3] >= height - 1
        if is_picture or not np.isfinite(box).all():  # a frame round the whole picture tells nothing
            return
        line = max(1, int(round(max(height, width) / 640.0 * self.line_scale)))
        top_left, bottom_right = whole_pixels(np.asarray(box, np.float64).reshape(2, 2))
        cv2.rectangle(canvas, top_left, bottom_right, color, line)


def person_size(xy: np.ndarray, box: np.ndarray | None = None) -> float:
    """How large a person is in pixels, for lines that suit; 0 if nothing of it is shown.

    The box changes less from frame to frame than what is shown, but may be far larger than the person.

    Args:
        xy: (M, 2) what is shown.
        box: (4,) xyxy or None.
    """
    if not len(xy):
        return 0.0
    extent = float(np.ptp(np.clip(xy, -FARTHEST_PIXEL, FARTHEST_PIXEL), axis=0).max())
    if box is None or not np.isfinite(box).all():
        return extent
    return min(0.9 * float(max(box[2] - box[0], box[3] - box[1])), 3 * extent)


def fixed_point(xy: np.ndarray) -> list[tuple[int, int]]:
    """Pixel coordinates (M, 2) as OpenCV's fixed-point integers; what is not finite becomes 0 and is never drawn."""
    safe = np.clip(np.nan_to_num(xy, nan=0.0), -FARTHEST_PIXEL, FARTHEST_PIXEL)
    return [(int(x), int(y)) for x, y in np.rint(safe * (1 << FRACTION_BITS))]


def whole_pixels(xy: np.ndarray) -> list[tuple[int, int]]:
    """Finite pixel coordinates (M, 2) as whole pixels: a box is sharp where a slanting limb is smooth."""
    return [(int(x), int(y)) for x, y in np.rint(np.clip(xy, -FARTHEST_PIXEL, FARTHEST_PIXEL))]
