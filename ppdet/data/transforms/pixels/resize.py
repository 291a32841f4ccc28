"""Whole images to a detector's input size."""

from __future__ import annotations

from typing import Sequence, Union

import cv2
import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.data.samples.image import ImageSample


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
        size = [target_size, target_size] if isinstance(target_size, int) else list(target_size)
        if len(size) != 2 or min(size) <= 0:
            raise ConfigError(f"Resize.target_size must be a number or [height, width]; given {target_size!r}")
        if interp not in range(5):
            raise ConfigError(f"Resize.interp must be 0..4 (OpenCV's numbers); given {interp!r}")
        self.target_hw, self.keep_ratio, self.interp = (int(size[0]), int(size[1])), keep_ratio, interp

    def __call__(self, sample: ImageSample, rng: np.random.Generator) -> ImageSample:
        assert sample.image is not None
        height, width = sample.image.shape[:2]
        scale_y, scale_x = self.target_hw[0] / height, self.target_hw[1] / width
        if self.keep_ratio:
            # PaddleDetection's rule: the target's short side bounds the image's short side, the long side the long one
            scale_y = scale_x = min(min(self.target_hw) / min(height, width), max(self.target_hw) / max(height, width))
        new_wh = (max(1, round(width * scale_x)), max(1, round(height * scale_y)))
        sample.image = cv2.resize(sample.image, new_wh, interpolation=self.interp)
        if sample.boxes_input is not None:
            factor = np.array([new_wh[0] / width, new_wh[1] / height] * 2)
            sample.boxes_input = np.clip(sample.boxes_input * factor, 0, [*new_wh, *new_wh])
        sample.im_shape = np.array([new_wh[1], new_wh[0]], np.float32)
        sample.scale_factor = np.array([scale_y, scale_x], np.float32)
        return sample
