"""Whole images to a tracker's input size, with their aspect kept."""

from __future__ import annotations

from typing import Sequence, Union

import numpy as np

from ppdet.core.config.registry import register
from ppdet.data.samples.image import ImageSample
from ppdet.data.transforms.detection.box_operations import image_size, pixels_of
from ppdet.image.letterbox import GREY, SHRINKING, Letterbox
from ppdet.image.resize import target_height_width


@register
class LetterBoxResize:
    """Resizes to the largest size inside `target_size`, centred on grey; `boxes_input` follow, beyond the image's border, too.

    Args:
        target_size: one number or [height, width].

    Raises:
        ConfigError: a target that is no size.
    """

    def __init__(self, target_size: Union[int, Sequence[int]] = (608, 1088)) -> None:
        self.target_hw = target_height_width(target_size)

    def __call__(self, sample: ImageSample, rng: np.random.Generator) -> ImageSample:
        box = Letterbox.fit(image_size(sample), self.target_hw[::-1])
        sample.image = box.apply(pixels_of(sample), GREY, SHRINKING)
        sample.im_shape = np.array(box.resized_wh[::-1], np.float32)
        sample.scale_factor = box.scale_xy[::-1].astype(np.float32)
        if sample.boxes_input is not None:
            sample.boxes_input = box.to_input(sample.boxes_input.reshape(-1, 2, 2)).reshape(-1, 4)
        return sample
