"""Photometric augmentation of the crop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

import cv2
import numpy as np

from ppdet.core.config.registry import register
from ppdet.data.samples.image import ImageSample
from ppdet.data.samples.person import PersonSample


@dataclass(frozen=True)
class ColorShift:
    """What was drawn: factors on brightness, contrast and saturation, and a turn of the hue in parts of the circle."""

    brightness: float
    contrast: float
    saturation: float
    hue: float


@register
class ColorJitter:
    """Brightness, contrast, saturation and hue, each uniform around "no change".

    Put it after TopDownAffine: it then works on the small crop instead of the whole image.

    Args:
        brightness, contrast, saturation: x gives a factor in [max(0, 1 - x), 1 + x].
        hue: x gives a turn in [-x, x] of the colour circle, at most 0.5.
        prob: probability that a sample is touched.
    """

    def __init__(
        self,
        brightness: float = 0.4,
        contrast: float = 0.4,
        saturation: float = 0.4,
        hue: float = 0.05,
        prob: float = 0.8,
    ) -> None:
        self.brightness, self.contrast, self.saturation, self.hue, self.prob = (
            brightness,
            contrast,
            saturation,
            hue,
            prob,
        )

    def __call__(self, sample: Union[PersonSample, ImageSample], rng: np.random.Generator) -> Union[PersonSample, ImageSample]:
        if rng.random() < self.prob and sample.image is not None:
            sample.image = shift_colors(sample.image, self.draw(rng))
        return sample

    def draw(self, rng: np.random.Generator) -> ColorShift:
        """Sample the parameters."""
        brightness, contrast, saturation = (
            float(rng.uniform(max(0.0, 1 - x), 1 + x)) for x in (self.brightness, self.contrast, self.saturation)
        )
        return ColorShift(brightness, contrast, saturation, hue=float(rng.uniform(-self.hue, self.hue)))


def shift_colors(image: np.ndarray, shift: ColorShift) -> np.ndarray:
    """A new (H, W, 3) RGB uint8 image. Contrast pivots on the mean grey, saturation on each pixel's own grey."""
    mean = float(cv2.mean(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))[0]) * shift.brightness
    levels = (np.arange(256) * shift.brightness - mean) * shift.contrast + mean
    image = cv2.LUT(image, np.clip(np.rint(levels), 0, 255).astype(np.uint8))
    if shift.saturation != 1:
        grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        image = cv2.addWeighted(image, shift.saturation, grey, 1 - shift.saturation, 0)
    if shift.hue:
        hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL)  # hue on 256 levels, so uint8 arithmetic turns the circle
        hsv[..., 0] += np.uint8(int(round(shift.hue * 256)) % 256)
        image = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL)
    return image
