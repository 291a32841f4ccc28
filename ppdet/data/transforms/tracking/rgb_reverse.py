"""Turns the order of the channels around. Legend: B batch, H W pixels."""

from __future__ import annotations

from typing import Any, Dict

import numpy as np

from ppdet.core.config.registry import register
from ppdet.data.samples.image import ImageSample


@register
class RGBReverse:
    """Red, green, blue to blue, green, red, or back; for one sample or for a stacked batch, channels last."""

    def __call__(self, sample: ImageSample, rng: np.random.Generator) -> ImageSample:
        assert sample.image is not None
        sample.image = np.ascontiguousarray(sample.image[..., ::-1])
        return sample

    def apply_batch(self, batch: Dict[str, Any]) -> Dict[str, Any]:
        """`image` (B, H, W, 3)."""
        batch["image"] = np.ascontiguousarray(batch["image"][..., ::-1])
        return batch
