"""Brings the images of a batch to one size."""

from __future__ import annotations

from typing import Any, List

import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.data.samples.image import ImageSample


@register
class PadBatch:
    """Pads with zeros, right and below, to the largest image of the batch, rounded up to a multiple of `pad_to_stride`.

    Works on (H, W, 3) and (3, H, W) images, as the list before it has left them.

    Raises:
        ConfigError: a negative stride.
    """

    def __init__(self, pad_to_stride: int = 0) -> None:
        if pad_to_stride < 0:
            raise ConfigError(f"PadBatch.pad_to_stride must be 0 (no multiple) or more; given {pad_to_stride}")
        self.stride = max(1, pad_to_stride)

    def apply_samples(self, samples: List[ImageSample], rng: Any = None) -> List[ImageSample]:
        """Pads the images of a list of samples, before they are stacked."""
        images = [s.image for s in samples]
        first = 1 if images and images[0] is not None and images[0].shape[0] == 3 else 0
        sizes = np.array([image.shape[first : first + 2] for image in images if image is not None]).max(axis=0)
        height, width = (int(-(-n // self.stride) * self.stride) for n in sizes)
        for sample in samples:
            assert sample.image is not None
            below, right = height - sample.image.shape[first], width - sample.image.shape[first + 1]
            padding = [(0, below), (0, right)]
            padding.insert(0 if first else 2, (0, 0))
            if below or right:
                sample.image = np.pad(sample.image, padding)
        return samples
