"""Whole images to a detector's input size."""

from __future__ import annotations

from typing import Sequence, Union

import cv2
import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.data.samples.image import ImageSample
from ppdet.image.resize import resize_to, target_height_width


@register
class Resize:
    """Resizes to `target_size` and records `im_shape` and `scale_factor`; `boxes_input` follow, if there are any.

    Args:
        target_size: one number or [height, width].
        keep_ratio: the largest size inside the target with the image's aspect, rounded to pixels.
        interp: OpenCV's number (0 nearest, 1 linear, 2 cubic, 3 area, 4 Lanczos).

    Raises:
        ConfigError: a target that is no size, or an unknown interp.
    """

    def __init__(self, target_size: Union[int, Sequence[int]], keep_ratio: bool = False, interp: int = cv2.INTER_LINEAR) -> None:
        if interp not in range(5):
            raise ConfigError(f"Resize.interp must be 0..4 (OpenCV's numbers); given {interp!r}")
        self.target_hw, self.keep_ratio, self.interp = target_height_width(target_size), keep_ratio, interp

    def __call__(self, sample: ImageSample, rng: np.random.Generator) -> ImageSample:
        assert sample.image is not None
        height, width = sample.image.shape[:2]
        sample.image, scale_yx = resize_to(sample.image, self.target_hw, self.keep_ratio, self.interp)
        sample.im_shape = np.array(sample.image.shape[:2], np.float32)
        sample.scale_factor = np.array(scale_yx, np.float32)
        if sample.boxes_input is not None:
            new_height, new_width = sample.image.shape[:2]
            factor = np.array([new_width / width, new_height / height] * 2)
            sample.boxes_input = np.clip(sample.boxes_input * factor, 0, [new_width, new_height] * 2)
        return sample
