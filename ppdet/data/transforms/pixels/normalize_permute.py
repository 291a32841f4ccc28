"""Pixel values to network values, channels first, in one step. Legend: B batch, H W pixels."""

from __future__ import annotations

from typing import Any, Dict, Sequence

import numpy as np

from ppdet.core.config.registry import register
from ppdet.data.transforms.pixels.normalize_image import NormalizeImage
from ppdet.image.normalize import IMAGENET_MEAN, IMAGENET_STD


@register
class NormalizePermute(NormalizeImage):
    """NormalizeImage and Permute together: (H, W, 3) uint8 to (3, H, W) float32, three times as fast as one after the other.

    Args:
        mean, std, is_scale: see `Normalization`.

    Raises:
        ConfigError: a std of 0.
    """

    def __init__(
        self, mean: Sequence[float] = IMAGENET_MEAN, std: Sequence[float] = IMAGENET_STD, is_scale: bool = True
    ) -> None:
        super().__init__(mean, std, is_scale)

    def __call__(self, sample: Any, rng: np.random.Generator) -> Any:
        sample.image = self.normalization.planes(sample.image[None])[0]
        return sample

    def apply_batch(self, batch: Dict[str, Any]) -> Dict[str, Any]:
        """`image` (B, H, W, 3) to (B, 3, H, W) float32."""
        batch["image"] = self.normalization.planes(batch["image"])
        return batch
