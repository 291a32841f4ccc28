"""Shadows of the collimator at the border of a radiograph. Legend: K keypoints, H W crop pixels."""

from __future__ import annotations

from typing import Optional

import cv2
import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.data.samples.person import PersonSample

BLACK, WHITE = 0, 255
SIDES = 4


@register
class CollimationBorder:
    """Covers what lies beyond a rectangle, upright or a little turned, as the blades of a collimator do.

    Visible keypoints are never covered: each blade stops `margin` before the nearest one. Belongs after TopDownAffine.

    Args:
        depth: largest depth of a blade, as part of the crop's shorter side.
        tilt: largest turn of the rectangle in degrees.
        margin: distance that is kept to keypoints, as part of the crop's shorter side.
        white_prob: probability that the border is white instead of black.
        prob: probability that a sample is touched.

    Raises:
        ConfigError: an argument out of range.
    """

    def __init__(
        self, depth: float = 0.2, tilt: float = 5.0, margin: float = 0.03, white_prob: float = 0.1, prob: float = 0.3
    ) -> None:
        limits = (("depth", depth, 0.5), ("margin", margin, 0.5), ("white_prob", white_prob, 1), ("prob", prob, 1))
        for name, value, most in limits:
            if not 0 <= value <= most:
                raise ConfigError(f"CollimationBorder: {name} is from 0 to {most}; given {value}")
        if not 0 <= tilt <= 45:
            raise ConfigError(f"CollimationBorder: tilt is from 0 to 45 degrees; given {tilt}")
        self.depth, self.tilt, self.margin = float(depth), float(tilt), float(margin)
        self.white_prob, self.prob = float(white_prob), float(prob)

    def __call__(self, sample: PersonSample, rng: np.random.Generator) -> PersonSample:
        assert sample.image is not None and sample.xy_input is not None, "CollimationBorder belongs after TopDownAffine"
        if rng.random() < self.prob:
            height, width = sample.image.shape[:2]
            corners = self.draw((width, height), sample.xy_input[sample.visible > 0], rng)
            if corners is not None:
                sample.image = cover_outside(sample.image, corners, WHITE if rng.random() < self.white_prob else BLACK)
        return sample

    def draw(self, wh: tuple[int, int], keypoints: np.ndarray, rng: np.random.Generator) -> Optional[np.ndarray]:
        """(4, 2) corners of the free rectangle in crop pixels; None if a keypoint outside the crop leaves none.

        Args:
            wh: size of the crop.
            keypoints: (K, 2) visible ones in crop pixels.
            rng: randomness.
        """
        size = np.array(wh, np.float64)
        center, short = (size - 1) / 2, float(size.min())
        angle = np.deg2rad(rng.uniform(-self.tilt, self.tilt))
        axes = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        depths = rng.uniform(0, self.depth, SIDES) * short * (rng.random(SIDES) < 0.5)  # half of the blades are out of sight
        outline = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * (size - 1)
        low, high = _extent((outline - center) @ axes.T)
        low, high = low + depths[:2], high - depths[2:]
        inside = keypoints[((keypoints >= -0.5) & (keypoints <= size - 0.5)).all(axis=1)]
        if len(inside):
            first, last = _extent((inside - center) @ axes.T)
            low, high = np.minimum(low, first - self.margin * short), np.maximum(high, last + self.margin * short)
        if not (low < high).all():
            return None
        corners = np.array([[low[0], low[1]], [high[0], low[1]], [high[0], high[1]], [low[0], high[1]]])
        return corners @ axes + center


def cover_outside(image: np.ndarray, corners_xy: np.ndarray, value: int) -> np.ndarray:
    """A new (H, W, C) image in which everything outside a convex (4, 2) polygon has one value."""
    fraction = 16  # cv2 takes sub-pixel positions as fixed point
    free = np.zeros(image.shape[:2], np.uint8)
    cv2.fillConvexPoly(free, np.rint(corners_xy * fraction).astype(np.int32), 1, lineType=cv2.LINE_8, shift=4)
    return np.where(free[..., None] > 0, image, np.uint8(value))


def _extent(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return points.min(axis=0), points.max(axis=0)
