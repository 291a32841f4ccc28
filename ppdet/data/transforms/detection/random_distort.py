"""Photometric augmentation of whole images (Howard, arXiv:1312.5402). Legend: H W pixels."""

from __future__ import annotations

from typing import Any, Callable, List, Sequence, Tuple

import cv2
import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.data.samples.image import ImageSample
from ppdet.data.transforms.detection.box_operations import pixels_of

Step = Tuple[Callable[[np.ndarray, float], np.ndarray], float]


@register
class RandomDistort:
    """Brightness, contrast, saturation and hue, in random order.

    Args:
        hue: [lowest, highest, probability that it is *left alone*] shift on a circle of 256 steps.
        saturation, contrast, brightness: the same with factors.
        random_apply: order at random and at most `count` of the four; else brightness, contrast, saturation, hue with contrast
            first or last at random.
        count: how many of the four are considered.
        random_channel: also shuffle the colour channels of every other image.
        prob: probability that an image is looked at.

    Raises:
        ConfigError: a range that is not three numbers.
    """

    def __init__(
        self,
        hue: Sequence[float] = (-18, 18, 0.5),
        saturation: Sequence[float] = (0.5, 1.5, 0.5),
        contrast: Sequence[float] = (0.5, 1.5, 0.5),
        brightness: Sequence[float] = (0.5, 1.5, 0.5),
        random_apply: bool = True,
        count: int = 4,
        random_channel: bool = False,
        prob: float = 1.0,
    ) -> None:
        ranges = {"hue": hue, "saturation": saturation, "contrast": contrast, "brightness": brightness}
        for name, values in ranges.items():
            if len(values) != 3 or values[0] > values[1]:
                raise ConfigError(f"RandomDistort: {name} is [lowest, highest, probability of no change]; given {list(values)}")
        self.brightness, self.contrast, self.saturation, self.hue = brightness, contrast, saturation, hue
        self.random_apply, self.count, self.random_channel, self.prob = random_apply, count, random_channel, prob

    def __call__(self, sample: ImageSample, rng: np.random.Generator) -> ImageSample:
        if self.prob < 1 and rng.random() >= self.prob:
            return sample
        image = pixels_of(sample)
        for change, amount in self.draw(rng):
            image = change(image, amount)
        if self.random_channel and rng.integers(0, 2):
            image = np.ascontiguousarray(image[..., rng.permutation(3)])
        sample.image = image
        return sample

    def draw(self, rng: Any) -> List[Step]:
        """What is done, in order."""
        kinds = [
            (change_brightness, self.brightness), (change_contrast, self.contrast),
            (change_saturation, self.saturation), (shift_hue, self.hue),
        ]  # fmt: skip
        if self.random_apply:
            order = [int(i) for i in rng.permutation(len(kinds))][: self.count]
        else:
            order = [0, 1, 2, 3] if rng.integers(0, 2) else [0, 2, 3, 1]
        steps: List[Step] = []
        for kind in order:
            change, (low, high, skip) = kinds[kind]
            if rng.uniform(0.0, 1.0) >= skip:
                steps.append((change, float(rng.uniform(low, high))))
        return steps


def change_brightness(image: np.ndarray, factor: float) -> np.ndarray:
    """(H, W, 3) uint8 times a factor."""
    return cv2.LUT(image, _levels(factor, 0.0))


def change_contrast(image: np.ndarray, factor: float) -> np.ndarray:
    """Distance from the image's mean grey times a factor."""
    grey = int(cv2.mean(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))[0] + 0.5)
    return cv2.LUT(image, _levels(factor, grey))


def change_saturation(image: np.ndarray, factor: float) -> np.ndarray:
    """Distance of each pixel from its own grey times a factor."""
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return cv2.addWeighted(image, factor, grey, 1 - factor, 0)


def shift_hue(image: np.ndarray, steps: float) -> np.ndarray:
    """Turn the colour circle by that many of its 256 steps, whole ones."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL)
    hsv[..., 0] += np.uint8(int(steps) % 256)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL)


def _levels(factor: float, pivot: float) -> np.ndarray:
    """(256,) uint8 table of pivot + factor (level - pivot)."""
    return np.clip(pivot + factor * (np.arange(256) - pivot), 0, 255).astype(np.uint8)
