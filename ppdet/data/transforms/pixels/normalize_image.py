"""Pixels to network numbers. Legend: B batch, H W pixels."""

from __future__ import annotations

from typing import Any, Dict, Sequence, Union

import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.data.samples.image import ImageSample
from ppdet.data.samples.person import PersonSample


@register
class NormalizeImage:
    """(pixel / 255 - mean) / std in float32, for one sample or, faster, for a stacked batch of channels-last images.

    Args:
        mean, std: per channel, in the order the network sees.
        is_scale: divide by 255 first.
        norm_type: "mean_std", or "none" for the scaling alone.
        to_bgr: turn red, green, blue into blue, green, red first. Simple Baselines and LPN were published so, with RGB's mean
            and std applied to BGR in their order.

    Raises:
        ConfigError: a std of 0 or an unknown norm_type.
    """

    def __init__(
        self,
        mean: Sequence[float] = (0.485, 0.456, 0.406),
        std: Sequence[float] = (0.229, 0.224, 0.225),
        is_scale: bool = True,
        norm_type: str = "mean_std",
        to_bgr: bool = False,
    ) -> None:
        if norm_type not in ("mean_std", "none"):
            raise ConfigError(f"NormalizeImage.norm_type must be mean_std or none; given {norm_type!r}")
        if len(mean) != 3 or len(std) != 3 or not all(s > 0 for s in std):
            raise ConfigError(f"NormalizeImage: mean and std need 3 numbers each, std above 0; given {mean} and {std}")
        plain = norm_type == "none"
        factor = (1 / 255.0 if is_scale else 1.0) / (np.ones(3) if plain else np.asarray(std, np.float64))
        offset = np.zeros(3) if plain else -np.asarray(mean, np.float64) / np.asarray(std, np.float64)
        self.to_bgr = bool(to_bgr)
        self.factor, self.offset = factor.astype(np.float32), offset.astype(np.float32)

    def __call__(self, sample: Union[PersonSample, ImageSample], rng: np.random.Generator) -> Union[PersonSample, ImageSample]:
        assert sample.image is not None
        sample.image = self.normalize(sample.image)
        return sample

    def apply_batch(self, batch: Dict[str, Any]) -> Dict[str, Any]:
        """Normalises `image` (B, H, W, 3) of a batch."""
        batch["image"] = self.normalize(batch["image"])
        return batch

    def normalize(self, image: np.ndarray) -> np.ndarray:
        """float32 copy of (..., W, 3) pixels, or of a (B, 3, H, W) view of such."""
        result = np.array(image[..., ::-1] if self.to_bgr else image, np.float32, order="C" if self.to_bgr else "K")
        width = result.shape[-2]
        # numpy is slow along an axis of 3: treat a row of pixels as one vector
        rows = result.reshape(*result.shape[:-2], width * 3)
        rows *= np.tile(self.factor, width)
        rows += np.tile(self.offset, width)
        return result
