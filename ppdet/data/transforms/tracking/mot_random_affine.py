"""Rotates, scales, shears and shifts an image with its boxes, for trackers of the JDE family.

Legend: N boxes, H W pixels.
"""

from __future__ import annotations

import math
from typing import Sequence, Tuple

import cv2
import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.data.samples.image import ImageSample
from ppdet.data.transforms.detection.box_operations import boxes_of, pixels_of

# A box is dropped if a side is at most so many pixels, if less than this part of the area is left within the image, or if one
# side is so many times the other.
SMALLEST_SIDE, SMALLEST_PART, LARGEST_ASPECT = 4.0, 0.1, 10.0


@register
class MOTRandomAffine:
    """A random affine map about the centre of the image.

    Boxes become the boxes around their warped corners, made smaller for the rotation. If none of an image's boxes survives, the
    image is left as it is; an image without boxes is warped like any other (PaddleDetection stops there).

    Args:
        degrees: [lowest, highest] rotation.
        translate: largest shift in x and y, as parts of the image's height and width, as PaddleDetection has it.
        scale: [lowest, highest] factor.
        shear: [lowest, highest] degrees, of each axis.
        borderValue: colour of what the image does not cover.
        reject_outside: clip boxes to the image, and drop those that are mostly outside.

    Raises:
        ConfigError: ranges that are none.
    """

    def __init__(
        self,
        degrees: Sequence[float] = (-5, 5),
        translate: Sequence[float] = (0.10, 0.10),
        scale: Sequence[float] = (0.50, 1.20),
        shear: Sequence[float] = (-2, 2),
        borderValue: Sequence[float] = (127.5, 127.5, 127.5),  # noqa: N803  (PaddleDetection's key)
        reject_outside: bool = True,
    ) -> None:
        ranges = {"degrees": degrees, "scale": scale, "shear": shear}
        wrong = [name for name, pair in ranges.items() if len(pair) != 2 or pair[0] > pair[1]]
        if wrong or scale[0] <= 0 or len(translate) != 2 or min(translate) < 0:
            raise ConfigError(f"MOTRandomAffine: degrees, scale (above 0) and shear are [lowest, highest], translate two numbers "
                              f"from 0 on; given {ranges} and {list(translate)}")  # fmt: skip
        self.degrees, self.scale, self.shear = ((float(low), float(high)) for low, high in (degrees, scale, shear))
        self.translate = translate
        self.border, self.reject_outside = tuple(borderValue), reject_outside

    def __call__(self, sample: ImageSample, rng: np.random.Generator) -> ImageSample:
        image, boxes = pixels_of(sample), boxes_of(sample)
        height, width = image.shape[:2]
        matrix, angle = self.draw(rng, width, height)
        warped = warped_boxes(boxes, matrix, angle)
        kept = self._kept(boxes, warped, width, height)
        if len(boxes) and not kept.any():
            return sample
        sample.image = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=self.border)
        sample.boxes_input = np.clip(warped, 0, [width, height] * 2) if self.reject_outside else warped
        sample.keep_boxes(kept)
        return sample

    def draw(self, rng: np.random.Generator, width: int, height: int) -> Tuple[np.ndarray, float]:
        """A (2, 3) matrix of pixel centres, and its rotation in degrees."""
        angle, scale = (float(rng.uniform(low, high)) for low, high in (self.degrees, self.scale))
        turn = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale), [0, 0, 1]])
        shift = np.eye(3)
        shift[0, 2] = rng.uniform(-1, 1) * self.translate[0] * height
        shift[1, 2] = rng.uniform(-1, 1) * self.translate[1] * width
        shear = np.eye(3)
        shear[0, 1], shear[1, 0] = (math.tan(math.radians(each)) for each in rng.uniform(*self.shear, size=2))
        return (shear @ shift @ turn)[:2], angle

    def _kept(self, before: np.ndarray, after: np.ndarray, width: int, height: int) -> np.ndarray:
        """(N,) bool."""
        if self.reject_outside:
            after = np.clip(after, 0, [width, height] * 2)
        old, new = before[:, 2:] - before[:, :2], after[:, 2:] - after[:, :2]
        part = new.prod(axis=1) / np.maximum(old.prod(axis=1), 1e-16)
        aspect = new.max(axis=1, initial=0) / np.maximum(new.min(axis=1, initial=np.inf), 1e-16)
        return (new > SMALLEST_SIDE).all(axis=1) & (part > SMALLEST_PART) & (aspect < LARGEST_ASPECT)


def warped_boxes(boxes: np.ndarray, matrix: np.ndarray, angle: float) -> np.ndarray:
    """(N, 4) boxes around the warped corners, shrunk about their centres.

    The box around a rotated box is larger than what was in it; the factor max(|sin|, |cos|)^.5 is the published one.

    Args:
        boxes: (N, 4) xyxy.
        matrix: (2, 3) of pixel centres; boxes lie between pixel edges, which are half a pixel off.
        angle: degrees.
    """
    corners = boxes[:, [0, 1, 2, 3, 0, 3, 2, 1]].reshape(-1, 4, 2)
    moved = (corners - 0.5) @ matrix[:, :2].T + matrix[:, 2] + 0.5
    low, high = moved.min(axis=1), moved.max(axis=1)
    shrink = max(abs(math.sin(math.radians(angle))), abs(math.cos(math.radians(angle)))) ** 0.5
    middle, half = (low + high) / 2, (high - low) / 2 * shrink
    return np.concatenate([middle - half, middle + half], axis=1)
