"""Channels first. Legend: B batch, H W pixels."""

from __future__ import annotations

from typing import Any, Dict, Union

import numpy as np

from ppdet.core.config.registry import register
from ppdet.data.samples.image import ImageSample
from ppdet.data.samples.person import PersonSample


@register
class Permute:
    """(H, W, 3) to (3, H, W), for one sample or for a stacked batch."""

    def __call__(self, sample: Union[PersonSample, ImageSample], rng: np.random.Generator) -> Union[PersonSample, ImageSample]:
        assert sample.image is not None
        sample.image = np.ascontiguousarray(sample.image.transpose(2, 0, 1))
        return sample

    def apply_batch(self, batch: Dict[str, Any]) -> Dict[str, Any]:
        """`image` (B, H, W, 3) to (B, 3, H, W)."""
        batch["image"] = np.ascontiguousarray(batch["image"].transpose(0, 3, 1, 2))
        return batch
