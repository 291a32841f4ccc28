"""Reads the pixels, where the dataset has not done it."""

from __future__ import annotations

from typing import Union

import numpy as np

from ppdet.core.config.registry import register
from ppdet.data.samples.image import ImageSample
from ppdet.data.samples.person import PersonSample
from ppdet.image.io import read_image


@register
class Decode:
    """Fills `image` from `image_path`; our datasets give decoded images (once per image, not per person), so this is
    idle then.

    Raises (when called):
        MediaError: the file is missing or no image.
    """

    def __call__(self, sample: Union[PersonSample, ImageSample], rng: np.random.Generator) -> Union[PersonSample, ImageSample]:
        if sample.image is None:
            sample.image = read_image(sample.image_path)
        return sample
