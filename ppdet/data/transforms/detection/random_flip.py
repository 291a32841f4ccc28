"""Mirrors an image with its boxes."""

from __future__ import annotations

import numpy as np

from ppdet.core.config.registry import register
from ppdet.data.samples.image import ImageSample
from ppdet.data.transforms.detection.box_operations import mirror


@register
class RandomFlip:
    """Mirrors left to right with probability `prob`."""

    def __init__(self, prob: float = 0.5) -> None:
        self.prob = prob

    def __call__(self, sample: ImageSample, rng: np.random.Generator) -> ImageSample:
        return mirror(sample) if rng.random() < self.prob else sample
