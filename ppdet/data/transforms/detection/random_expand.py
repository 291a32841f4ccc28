"""Puts an image somewhere on a larger canvas, so that its objects become small (Liu et al., ECCV 2016, sec. 3.6)."""

from __future__ import annotations

from typing import Sequence, Union

import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.data.samples.image import ImageSample
from ppdet.data.transforms.detection.box_operations import image_size, place_on_canvas


@register
class RandomExpand:
    """Canvas of 1 to `ratio` times the image's sides.

    Args:
        ratio: largest factor.
        prob: probability that an image is *left alone*, as PaddleDetection has it.
        fill_value: colour of the canvas, one number or RGB.

    Raises:
        ConfigError: ratio up to 1, or a colour that is none.
    """

    def __init__(
        self, ratio: float = 4.0, prob: float = 0.5, fill_value: Union[float, Sequence[float]] = (127.5, 127.5, 127.5)
    ) -> None:
        color = (fill_value,) * 3 if isinstance(fill_value, (int, float)) else tuple(fill_value)
        if ratio <= 1.01 or len(color) != 3:
            raise ConfigError(f"RandomExpand: ratio is above 1.01, fill_value one or three numbers; given {ratio}, {fill_value}")
        self.ratio, self.prob, self.color = ratio, prob, color

    def __call__(self, sample: ImageSample, rng: np.random.Generator) -> ImageSample:
        if rng.random() < self.prob:
            return sample
        width, height = image_size(sample)
        ratio = rng.uniform(1.0, self.ratio)
        new_w, new_h = int(width * ratio), int(height * ratio)
        if new_w <= width or new_h <= height:
            return sample
        y = int(rng.integers(0, new_h - height))
        x = int(rng.integers(0, new_w - width))
        return place_on_canvas(sample, (new_w, new_h), (x, y), self.color)
