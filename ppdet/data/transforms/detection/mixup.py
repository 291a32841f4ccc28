"""Blends two images and trains on the boxes of both (Zhang et al., ICLR 2018; for detection arXiv:1902.04103).

Legend: H W pixels.
"""

from __future__ import annotations

from typing import Any, List

import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.data.samples.image import ImageSample
from ppdet.data.transforms.detection.box_operations import image_size, join_boxes, pixels_of


@register
class Mixup:
    """The sample and another one, each at the top left of a black canvas, with weights l and 1 - l, l from Beta(alpha, beta).

    The scores of the boxes are multiplied by the weight of their image. It belongs right after Decode; the reader gives it the
    other sample, in the first `mixup_epoch` epochs.

    Args:
        alpha, beta: of the distribution.

    Raises:
        ConfigError: alpha or beta not above 0.
    """

    partners = 1
    epochs_key = "mixup_epoch"

    def __init__(self, alpha: float = 1.5, beta: float = 1.5) -> None:
        if min(alpha, beta) <= 0:
            raise ConfigError(f"Mixup: alpha and beta are above 0; given {alpha} and {beta}")
        self.alpha, self.beta = alpha, beta

    def mix(self, sample: ImageSample, others: List[ImageSample], rng: Any) -> ImageSample:
        """The blended sample; itself if the other cannot be read."""
        share = float(np.clip(rng.beta(self.alpha, self.beta), 0.0, 1.0))
        return blend(sample, others[0], share) if others else sample


def blend(sample: ImageSample, other: ImageSample, share: float) -> ImageSample:
    """Pixels and boxes of both, the first with weight `share`. A weight of 0 leaves no boxes. In place."""
    if share >= 1:
        return sample
    if share <= 0:
        return other
    sizes = [image_size(each) for each in (sample, other)]
    width, height = (max(sides) for sides in zip(*sizes))
    canvas = np.zeros((height, width, 3), np.float32)
    for each, weight in ((sample, share), (other, 1 - share)):
        image = pixels_of(each)
        canvas[: image.shape[0], : image.shape[1]] += image.astype(np.float32) * weight
        scores = np.ones(len(each.labels)) if each.box_scores is None else each.box_scores
        each.box_scores = scores * weight
    sample.image = canvas.astype(np.uint8)
    return join_boxes(sample, [sample, other])
