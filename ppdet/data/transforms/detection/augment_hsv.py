"""Colour augmentation in hue, saturation and value. Legend: H W pixels."""

from __future__ import annotations

from typing import Any, Optional

import cv2
import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.data.samples.image import ImageSample
from ppdet.data.transforms.detection.box_operations import pixels_of


@register
class AugmentHSV:
    """Changes the colours of all pixels, each of three values by a random amount.

    Without gains, saturation and value are multiplied by 1 - `fraction` to 1 + `fraction` (JDE's and FairMOT's recipes); with
    gains, hue, saturation and value are shifted (YOLOX's and RTMPose's).

    Args:
        fraction: largest change of the factors.
        hgain: largest shift of the hue, on a circle of 180 steps.
        sgain, vgain: largest shifts of saturation and value, of 255.
        is_bgr: accepted; neither changes with the order of the channels.

    Raises:
        ConfigError: a fraction outside 0 to 1, or only some of the gains.
    """

    def __init__(
        self,
        fraction: Optional[float] = 0.5,
        is_bgr: bool = True,
        hgain: Optional[float] = None,
        sgain: Optional[float] = None,
        vgain: Optional[float] = None,
    ) -> None:
        gains = (hgain, sgain, vgain)
        if len({gain is None for gain in gains}) > 1 or not 0 <= (fraction or 0.0) <= 1:
            raise ConfigError(f"AugmentHSV: fraction is from 0 to 1, or hgain, sgain and vgain are given; {fraction}, {gains}")
        self.fraction = fraction or 0.0
        self.gains = None if hgain is None else np.array(gains, np.float64)

    def __call__(self, sample: ImageSample, rng: np.random.Generator) -> ImageSample:
        image = pixels_of(sample)
        sample.image = scale_sv(image, 1 + rng.uniform(-1, 1, 2) * self.fraction) if self.gains is None else shift_hsv(
            image, self.draw(rng)
        )
        return sample

    def draw(self, rng: Any) -> np.ndarray:
        """(3,) whole shifts of hue, saturation and value; each is 0 for every other image."""
        assert self.gains is not None
        gains: np.ndarray = rng.uniform(-1, 1, 3) * self.gains * rng.integers(0, 2, 3)
        return gains.astype(np.int16)


def scale_sv(image: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """A new (H, W, 3) uint8 image with saturation and value multiplied by (2,) factors; both stop at 255."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    steps = np.arange(256)
    for channel, factor in zip((1, 2), factors):
        hsv[..., channel] = np.clip(steps * factor, 0, 255).astype(np.uint8)[hsv[..., channel]]
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def shift_hsv(image: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """A new (H, W, 3) RGB uint8 image; hue turns round, saturation and value stop at their ends."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV).astype(np.int16) + shifts
    hsv[..., 0] %= 180
    return cv2.cvtColor(np.clip(hsv, 0, 255).astype(np.uint8), cv2.COLOR_HSV2RGB)
