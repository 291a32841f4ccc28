"""Limits the number of boxes per image."""

from __future__ import annotations

from typing import Any, List

import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.data.samples.image import ImageSample


@register
class PadBox:
    """Keeps the first boxes of an image; batches are always padded (`collate`).

    Args:
        num_max_boxes: number of boxes per image that are kept.

    Raises:
        ConfigError: fewer than one box.
    """

    def __init__(self, num_max_boxes: int = 50) -> None:
        if num_max_boxes < 1:
            raise ConfigError(f"PadBox: num_max_boxes is 1 or more; given {num_max_boxes}")
        self.num_max_boxes = num_max_boxes

    def apply_samples(self, samples: List[ImageSample], rng: Any = None) -> List[ImageSample]:
        """Drop the boxes beyond the limit. In place."""
        for sample in samples:
            if len(sample.labels) > self.num_max_boxes:
                sample.keep_boxes(np.arange(self.num_max_boxes))
        return samples
