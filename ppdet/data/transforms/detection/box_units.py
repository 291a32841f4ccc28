"""PaddleDetection's changes of a box's layout, which are not needed here: boxes stay corners in pixels until targets are made."""

from __future__ import annotations

from typing import Any, Dict

import numpy as np

from ppdet.core.config.registry import register
from ppdet.data.samples.image import ImageSample


class _AcceptedBoxLayout:
    """Gives the sample, or the batch, back as it is."""

    def __call__(self, sample: ImageSample, rng: np.random.Generator) -> ImageSample:
        return sample

    def apply_batch(self, batch: Dict[str, Any]) -> Dict[str, Any]:
        """The batch as it is."""
        return batch


@register
class NormalizeBox(_AcceptedBoxLayout):
    """Accepted so that PaddleDetection's YAML loads; there, boxes become parts of the image's sides.

    Args:
        retain_origin_box: accepted.
    """

    def __init__(self, retain_origin_box: bool = False) -> None:
        self.retain_origin_box = retain_origin_box


@register
class BboxXYXY2XYWH(_AcceptedBoxLayout):
    """Accepted so that PaddleDetection's YAML loads; there, corners become centre and size."""
