"""Colour augmentation in hue, saturation and value. Legend: H W pixels."""

from __future__ import annotations

from typing import Any, Optional

import cv2
import numpy as np

from ppdet.core.config.registry import register
from ppdet.data.samples.image import ImageSample
from ppdet.data.transforms.detection.box_operations import pixels_of


@register
class AugmentHSV:
    """Shifts hue, saturation and value of all pixels, each by a random amount (YOLOX's and RTMPose's recipes).

    Args:
        hgain: largest shift of the hue, on a circle of 180 steps.
        sgain, vgain: largest shifts of saturation and value, of 255.
        is_bgr: accepted; images are RGB here.
        fraction: PaddleDetection's older key for factors instead of shifts; None.
    """

    def __init__(
        self, hgain: float = 5, sgain: float = 30, vgain: float = 30, is_bgr: bool = False, fraction: Optional[float] = None
    ) -> None:
        self.gains = np.array([hgain, sgain, vgain], np.float64)

    def __call__(self, sample: ImageSample, rng: np.random.Generator) -> ImageSample:
        sample.image = shift_hsv(pixels_of(sample), self.draw(rng))
        return sample

    def draw(self, rng: Any) -> np.ndarray:
        """(3,) whole shifts of hue, saturation and value; each is 0 for every other image."""
        gains: np.ndarray = rng.uniform(-1, 1, 3) * self.gains * rng.integers(0, 2, 3)
        return gains.astype(np.int16)


def shift_hsv(image: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """A new (H, W, 3) RGB uint8 image; hue turns round, saturation and value stop at their ends."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV).astype(np.int16) + shifts
    hsv[..., 0] %= 180
    return cv2.cvtColor(np.clip(hsv, 0, 255).astype(np.uint8), cv2.COLOR_HSV2RGB)
