"""Transforms of PaddleDetection that change how boxes are written. Here they are xyxy in pixels up to the loss."""

from __future__ import annotations

from typing import Any, Dict, List

import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.data.samples.image import ImageSample


class _PixelBoxes:
    """Accepted so that PaddleDetection's YAML loads; what makes targets takes the boxes in pixels."""

    def apply_batch(self, batch: Dict[str, Any]) -> Dict[str, Any]:
        """The batch as it is."""
        return batch


@register
class NormalizeBox(_PixelBoxes):
    """Boxes as shares of the image in PaddleDetection; here they stay in pixels."""


@register
class BboxXYXY2XYWH(_PixelBoxes):
    """Boxes as centre and size in PaddleDetection; here they stay corners."""


@register
class PadBox:
    """Keeps the first boxes of an image; batches are always padded (`collate`).

    Args:
        num_max_boxes: number of boxes per image that are kept.

    Raises:
        ConfigError: fewer than one.
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
