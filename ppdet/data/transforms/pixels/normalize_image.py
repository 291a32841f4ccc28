"""Pixel values to network values, and channels first. Legend: B batch, H W pixels."""

from __future__ import annotations

from typing import Any, Dict, Sequence, Union

import numpy as np

from ppdet.core.config.registry import register
from ppdet.data.samples.image import ImageSample
from ppdet.data.samples.person import PersonSample
from ppdet.image.normalize import IMAGENET_MEAN, IMAGENET_STD, Normalization


@register
class NormalizeImage:
    """(pixel / 255 - mean) / std in float32, for one sample or, faster, for a stacked batch of channels-last images.

    Args:
        mean, std, is_scale, norm_type, to_bgr: see `Normalization`.

    Raises:
        ConfigError: a std of 0 or an unknown norm_type.
    """

    def __init__(
        self,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        is_scale: bool = True,
        norm_type: str = "mean_std",
        to_bgr: bool = False,
    ) -> None:
        self.normalization = Normalization(mean, std, is_scale, norm_type, to_bgr)

    def __call__(self, sample: Union[PersonSample, ImageSample], rng: np.random.Generator) -> Union[PersonSample, ImageSample]:
        assert sample.image is not None
        sample.image = self.normalize(sample.image)
        return sample

    def apply_batch(self, batch: Dict[str, Any]) -> Dict[str, Any]:
        """Normalises `image` (B, H, W, 3) of a batch."""
        batch["image"] = self.normalize(batch["image"])
        return batch

    def normalize(self, image: np.ndarray) -> np.ndarray:
        """float32 copy of (..., W, 3) pixels; see `Normalization.channels_last`."""
        return self.normalization.channels_last(image)


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
