"""Pixel values to network values: the one implementation that training data and inference share.

Legend: B batch, H W pixels.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from ppdet.core.errors import ConfigError

# Mean and standard deviation of ImageNet's pixels on the scale 0 to 1, red, green, blue; PaddleDetection's defaults.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
NORM_TYPES = ("mean_std", "none")


def gain_and_offset(mean: Sequence[float], std: Sequence[float], is_scale: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Normalisation as one multiplication and one addition: pixel * gain + offset.

    Args:
        mean, std: per channel; on the scale 0 to 1 if `is_scale`, else on that of the pixels.
        is_scale: the pixels are divided by 255 first.

    Returns:
        gain and offset, (3,) float32 each.
    """
    std_values = np.asarray(std, np.float64)
    gain = (1 / 255.0 if is_scale else 1.0) / std_values
    return gain.astype(np.float32), (-np.asarray(mean, np.float64) / std_values).astype(np.float32)


class Normalization:
    """(pixel / 255 - mean) / std in float32.

    Args:
        mean, std: per channel, in the order that the network sees.
        is_scale: divide by 255 first.
        norm_type: "mean_std", or "none" for the scaling alone.
        to_bgr: turn red, green, blue into blue, green, red first. Simple Baselines and LPN were published so, with RGB's mean
            and std applied to BGR in their order.

    Attributes:
        gain, offset: (3,) float32; see `gain_and_offset`.

    Raises:
        ConfigError: a std of 0, not 3 numbers, or an unknown norm_type.
    """

    def __init__(
        self,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        is_scale: bool = True,
        norm_type: str = "mean_std",
        to_bgr: bool = False,
    ) -> None:
        if norm_type not in NORM_TYPES:
            raise ConfigError(f"NormalizeImage.norm_type must be mean_std or none; given {norm_type!r}")
        if len(mean) != 3 or len(std) != 3 or not all(s > 0 for s in std):
            raise ConfigError(f"NormalizeImage: mean and std need 3 numbers each, std above 0; given {mean} and {std}")
        plain = norm_type == "none"
        self.to_bgr = bool(to_bgr)
        self.gain, self.offset = gain_and_offset((0, 0, 0) if plain else mean, (1, 1, 1) if plain else std, is_scale)
        levels = np.arange(256, dtype=np.float32)[:, None] * self.gain + self.offset
        self._tables = [np.ascontiguousarray(levels[:, channel]) for channel in range(3)]

    @classmethod
    def from_operation(cls, operation: Mapping[str, Any] | None) -> Normalization:
        """That of a card's `NormalizeImage` entry; without one values stay 0 to 255, for a graph that normalises by itself.

        Raises:
            ConfigError: values that `Normalization` refuses.
        """
        if operation is None:
            return cls(is_scale=False, norm_type="none")
        known = ("mean", "std", "is_scale", "norm_type", "to_bgr")
        return cls(**{key: operation[key] for key in known if key in operation})

    def channels_last(self, image: np.ndarray) -> np.ndarray:
        """float32 copy of (..., W, 3) pixels, or of a (B, 3, H, W) view of such."""
        result = np.array(image[..., ::-1] if self.to_bgr else image, np.float32, order="C" if self.to_bgr else "K")
        width = result.shape[-2]
        # numpy is slow along an axis of 3: treat a row of pixels as one vector
        rows = result.reshape(*result.shape[:-2], width * 3)
        rows *= np.tile(self.gain, width)
        rows += np.tile(self.offset, width)
        return result

    def planes(self, images: np.ndarray) -> np.ndarray:
        """(B, H, W, 3) pixels to (B, 3, H, W) float32; by a table per channel for uint8."""
        if images.dtype != np.uint8:
            return np.ascontiguousarray(self.channels_last(images).transpose(0, 3, 1, 2))
        planes = np.empty((len(images), 3, *images.shape[1:3]), np.float32)
        for image, target in zip(images, planes):
            for channel, table in enumerate(self._tables):
                cv2.LUT(cv2.extractChannel(image, 2 - channel if self.to_bgr else channel), table, dst=target[channel])
        return planes
