"""Draws poses on an image: limbs, keypoints and, if wanted, boxes and names.

Legend: N people, K keypoints, H W pixels. Images are RGB uint8; coordinates are image pixels with the centre of the
top-left pixel at (0, 0).
"""
from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ppdet.core.errors import DataError
from ppdet.visualize.palette import keypoint_color, person_color, rgb_from_bgr
from ppdet.visualize.text_tag import DARK, SMALLEST_SCALE, draw_tag, label_scale

if TYPE_CHECKING:
    from ppdet.skeletons import Skeleton

# cv2 draws between pixel centres when coordinates are given as fixed-point numbers with this many fraction bits.
FRACTION_BITS = 4
# Links between two of these are the torso. It has the person's colour, so that people who overlap can be told apart; limbs keep
# the colours of left and right.
TORSO = {"left_shoulder", "right_shoulder", "left_hip", "right_hip", "neck", "upper_neck", "thorax", "pelvis"}
SHADE = (24, 24, 24)
# Far outside any image, and still inside OpenCV's fixed-point range.
FARTHEST_PIXEL = 16000.0


class PoseDrawer:
    """Draws every person of a frame with one skeleton.

    Built once with its style, then called for each frame. A frame is copied once, however many people and limbs there
    are. Lines, dots and labels scale with the person, so that small people stay legible and large ones visible; small
    people are drawn over large ones.

    Args:
        skeleton: names the limbs and their colours; any number of keypoints. If it has no links, each keypoint gets a colour of
            its own.
        line_scale: factor on the width of limbs and the radius of dots.
        draw_boxes: also draw the person boxes that `draw` is given.
        names: write each keypoint's name beside it.
        orphans: also draw keypoints none of whose neighbours is shown. Networks are seldom right about those, annotators are.
        color: RGB of everything, instead of the colours of sides and people; for labels below predictions.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        line_scale: float = 1.0,
        draw_boxes: bool = True,
        names: bool = False,
        orphans: bool = False,
        color: tuple[int, int, int] | None = None,
    ) -> None:
        self.skeleton = skeleton
        self.line_scale = float(line_scale)
        self.draw_boxes, self.names, self.orphans, self.color = draw_boxes, names, orphans, color
        self._links = [tuple(link) for link in skeleton.links]
        self._ends = np.array(self._links, np.int64).reshape(-1, 2)
        self._dot_colors = [rgb_from_bgr(color) for color in skeleton.colors]
        if not self._links:
            stated = [keypoint.color is not None for keypoint in skeleton.keypoints]
            self._dot_colors = [old if own else keypoint_color(i) for i, (old, own) in enumerate(zip(self._dot_colors, stated))]
        self._link_colors = [rgb_from_bgr(color) for color in skeleton.link_colors]
        if color is not None:
            self._dot_colors, self._link_colors = [color] * len(self._dot_colors), [color] * len(self._links)
        self._torso = [skeleton.names[start] in TORSO and skeleton.names[end] in TORSO for start, end in self._links]
        self._linked = np.zeros((skeleton.num_keypoints, skeleton.num_keypoints), bool)
        for start, end in self._links:
            self._linked[[start, end], [end, start]] = True

    def draw(
        self,
        image: np.ndarray,
        keypoints: np.ndarray,
        scores: np.ndarray,
        threshold: float = 0.5,
        boxes: np.ndarray | None = None,
        identities: np.ndarray | None = None,
        in_place: bool = False,
    ) -> np.ndarray:
        """Return a copy of the image with the poses on it.

        Args:
            image: (H, W, 3) RGB uint8.
            keypoints: (N, K, 2) image pixels.
            scores: (N, K); a keypoint counts at or above the threshold, a limb if both its ends do.
            threshold: smallest score that is drawn.
            boxes: (N, 4) xyxy image pixels, or None for no boxes.
            identities: (N,) track ids that choose colours and label the boxes; None goes by position, without labels.
            in_place: draw on the image itself, which must be C-contiguous, and return it.

        Raises:
            DataError: the arrays do not fit together or do not have the skeleton's number of keypoints.
        """
        keypoints, scores = self._checked(image, keypoints, scores)
        canvas = image if in_place else np.array(image, copy=True, order="C")
        shown = (scores >= threshold) & np.isfinite(keypoints).all(axis=2)
        if not self.orphans:
            shown &= (shown @ self._linked > 0) | ~self._linked.any(axis=0)
        framed = np.full((len(keypoints), 4), np.nan) if boxes is None or not self.draw_boxes else boxes
        labels = np.arange(1, len(keypoints) + 1) if identities is None else np.asarray(identities)
        sizes = person_sizes(keypoints, shown, boxes)
        widths = np.maximum(1, np.rint(np.minimum(sizes / 100.0, 10.0) * self.line_scale))
        starts, ends = keypoints[:, self._ends[:, 0]], keypoints[:, self._ends[:, 1]]
        bars, edges = limb_bars(starts, ends, widths), limb_bars(starts, ends, widths + 2)
        points = fixed_points(keypoints)
        order = np.argsort(-sizes, kind="stable").tolist()
        colors = [self.color or person_color(int(label)) for label in labels]
        for person in order:
            self._draw_box(canvas, framed[person], colors[person])
        for person in order:
            are_shown = shown[person].tolist()
            if widths[person] > 1:  # thin lines have no edge to fill, and cost little
                self._draw_bars(canvas, bars[person], edges[person], are_shown, colors[person])
            else:
                self._draw_lines(canvas, points[person].tolist(), are_shown, colors[person])
            self._draw_dots(canvas, points[person].tolist(), are_shown, float(sizes[person]))
        for person in order if self.names else ():
            self._write_names(canvas, keypoints[person], shown[person])
        for person in order if identities is not None else ():
            if np.isfinite(framed[person]).all():
                size = float(np.max(framed[person][2:] - framed[person][:2]))
                draw_tag(canvas, str(labels[person]), tuple(framed[person][:2]), colors[person], scale=label_scale(canvas, size))
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

    def _draw_bars(
        self, canvas: np.ndarray, bars: np.ndarray, edges: np.ndarray, shown: list[bool], color: tuple[int, int, int]
    ) -> None:
        """Draw one person's limbs, in place.

        Args:
            canvas: (H, W, 3) uint8.
            bars: (L, 4, 2) int32, see `limb_bars`.
            edges: the same, wider, for a dark edge before backgrounds of the limb's own colour and other people's limbs.
            shown: K truth values.
            color: of the torso.
        """
        limbs = self._shown_limbs(shown)
        for row in limbs:
            cv2.fillConvexPoly(canvas, edges[row], SHADE, cv2.LINE_AA, FRACTION_BITS)
        for row in limbs:
            bar = color if self._torso[row] else self._link_colors[row]
            cv2.fillConvexPoly(canvas, bars[row], bar, cv2.LINE_AA, FRACTION_BITS)

    def _draw_lines(
        self, canvas: np.ndarray, places: list[list[int]], shown: list[bool], color: tuple[int, int, int]
    ) -> None:
        for row in self._shown_limbs(shown):
            start, end = self._links[row]
            line = color if self._torso[row] else self._link_colors[row]
            cv2.line(canvas, places[start], places[end], line, 1, cv2.LINE_AA, FRACTION_BITS)

    def _shown_limbs(self, shown: list[bool]) -> list[int]:
        return [row for row, (start, end) in enumerate(self._links) if shown[start] and shown[end]]

    def _draw_dots(self, canvas: np.ndarray, places: list[list[int]], shown: list[bool], size: float) -> None:
        """Draw one person's keypoints, in place; they also round off the ends of the bars."""
        if not any(shown):
            return
        radius = self._dot_radius(canvas, size)
        inner, outer = int(radius * (1 << FRACTION_BITS)), int((radius + 1) * (1 << FRACTION_BITS))
        for index, place in enumerate(places):
            if shown[index] and radius > 2.5:
                cv2.circle(canvas, place, outer, SHADE, -1, cv2.LINE_AA, FRACTION_BITS)
            if shown[index]:
                cv2.circle(canvas, place, inner, self._dot_colors[index], -1, cv2.LINE_AA, FRACTION_BITS)

    def _dot_radius(self, canvas: np.ndarray, size: float) -> float:
        """Radius of a keypoint's dot in pixels.

        A face has five keypoints within a seventh of the person. Below 1.5 pixels, or an 800th of the image, a dot is not seen;
        without limbs there is nothing else to see.
        """
        least = max(1.5, min(max(canvas.shape[:2]) / 800.0, size / 25.0))
        if not self._links:
            size, least = size * 1.7, max(least, 2.0, max(canvas.shape[:2]) / 400.0)
        return max(float(np.clip(size / 100.0, least, max(least, 8.0))) * self.line_scale, 1.0)

    def _write_names(self, canvas: np.ndarray, xy: np.ndarray, shown: np.ndarray) -> None:
        for index in np.flatnonzero(shown):
            corner = (float(xy[index, 0]) + 4, float(xy[index, 1]))
            draw_tag(canvas, self.skeleton.names[index], corner, DARK, scale=SMALLEST_SCALE)

    def _draw_box(self, canvas: np.ndarray, box: np.ndarray, color: tuple[int, int, int]) -> None:
        height, width = canvas.shape[:2]
        is_whole_image = box[0] <= 0 and box[1] <= 0 and box[2] >= width - 1 and box[3] >= height - 1
        if is_whole_image or not np.isfinite(box).all():  # a frame round the whole image says nothing
            return
        line = max(1, int(round(box_line_width(canvas, box) * self.line_scale)))
        top_left, bottom_right = whole_pixels(box[:2], box[2:])
        cv2.rectangle(canvas, top_left, bottom_right, color, line)


def box_line_width(canvas: np.ndarray, box_xyxy: np.ndarray) -> int:
    """Line width of a box: a 640th of the image's longer side, but at most a thirtieth of the box's shorter side.

    A person of 12 x 40 pixels would disappear behind lines of 3 pixels.
    """
    narrow = float(np.min(np.asarray(box_xyxy)[2:] - np.asarray(box_xyxy)[:2]))
    return max(1, int(round(min(max(canvas.shape[:2]) / 640.0, narrow / 30.0))))


def person_sizes(keypoints: np.ndarray, shown: np.ndarray, boxes: np.ndarray | None = None) -> np.ndarray:
    """How large people are in pixels, to choose line widths; 0 if nothing of somebody is shown.

    A box changes less from frame to frame than what is shown, but may be far larger than the person.

    Args:
        keypoints: (N, K, 2).
        shown: (N, K) bool: those that are drawn.
        boxes: (N, 4) xyxy or None.

    Returns:
        (N,).
    """
    if not keypoints.size:
        return np.zeros(len(keypoints))
    inside = np.clip(keypoints, -FARTHEST_PIXEL, FARTHEST_PIXEL)
    low = np.where(shown[..., None], inside, np.inf).min(axis=1)
    high = np.where(shown[..., None], inside, -np.inf).max(axis=1)
    extent = np.where(shown.any(axis=1), (high - low).max(axis=1), 0.0)
    if boxes is None:
        return extent
    framed = np.asarray(boxes, np.float64)
    of_box = 0.9 * (framed[:, 2:] - framed[:, :2]).max(axis=1)
    return np.where(np.isfinite(framed).all(axis=1), np.minimum(of_box, 3 * extent), extent)


def limb_bars(starts: np.ndarray, ends: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """The four corners of a bar for each limb, which OpenCV fills in half the time of a thick line, whose ends it rounds.

    Args:
        starts, ends: (N, L, 2) image pixels.
        widths: (N,) pixels.

    Returns:
        (N, L, 4, 2) int32, see `fixed_points`.
    """
    along = np.nan_to_num(ends - starts)
    across = np.stack([-along[..., 1], along[..., 0]], axis=-1)
    across *= 0.5 * widths[:, None, None] / np.maximum(np.hypot(along[..., 0], along[..., 1]), 1e-6)[..., None]
    return fixed_points(np.stack([starts + across, ends + across, ends - across, starts - across], axis=2))


def fixed_points(xy: np.ndarray) -> np.ndarray:
    """(..., 2) pixel coordinates as OpenCV's fixed-point int32; what is not finite becomes 0 and is never drawn."""
    safe = np.clip(np.nan_to_num(xy, nan=0.0), -FARTHEST_PIXEL, FARTHEST_PIXEL)
    return np.rint(safe * (1 << FRACTION_BITS)).astype(np.int32)


def whole_pixels(*points: Iterable[float]) -> list[tuple[int, ...]]:
    """Points of finite pixel coordinates as whole pixels, for the sharp lines of boxes."""
    return [tuple(round(min(max(float(value), -FARTHEST_PIXEL), FARTHEST_PIXEL)) for value in point) for point in points]
