"""Samples of more than 8 bits to 8 bits, by the range that they really use.

A 12-bit camera or X-ray detector writes values from 0 to 4095 into 16-bit files. Dividing by 256, as image libraries do, would
leave 0 to 15 of 255, an almost black image.
"""

from __future__ import annotations

from typing import Any, Optional, Sequence

import numpy as np

from ppdet.core.errors import ConfigError, MediaError
from ppdet.core.logger import get_logger

ImageRange = tuple[float, float]
_BIT_DEPTHS = (8, 10, 12, 14, 16)
_LOGGED_DEPTHS: set[int] = set()


def checked_range(image_range: Optional[Sequence[float]]) -> Optional[ImageRange]:
    """The `image_range` of a config or call as two floats; None stays None, which means "from each file".

    Raises:
        ConfigError: not two finite numbers, the smaller one first.
    """
    if image_range is None:
        return None
    try:
        low, high = (float(value) for value in image_range)
    except (TypeError, ValueError):
        low, high = 0.0, 0.0
    if not (np.isfinite([low, high]).all() and low < high):
        raise ConfigError(f"image_range is [black, white], two numbers such as [0, 4095]; given {image_range!r}")
    return low, high


def to_uint8(pixels: np.ndarray, image_range: Optional[ImageRange] = None, what: str = "the image", bits: int = 0) -> np.ndarray:
    """Samples as uint8; uint8 itself comes back as it is.

    Args:
        pixels: array of any shape: uint8, uint16, other integers, or floats.
        image_range: the values that become 0 and 255. None takes, for unsigned 16-bit values, 0 and the largest value of 8, 10,
            12, 14 or 16 bits that holds the image's own maximum; for floats between 0 and 1 that range.
        what: what to call the image in messages.
        bits: significant bits that the file states, 0 if it does not.

    Raises:
        MediaError: there is no telling what range is meant.
    """
    if pixels.dtype == np.uint8:
        return pixels
    if image_range is None:
        image_range = _own_range(pixels, what, bits)
    low, high = image_range
    scaled = (pixels.astype(np.float32) - np.float32(low)) * np.float32(255.0 / (high - low))
    return np.rint(np.clip(np.nan_to_num(scaled, nan=0.0), 0, 255)).astype(np.uint8)


def _own_range(pixels: np.ndarray, what: str, bits: int) -> ImageRange:
    low, high = (float(pixels.min()), float(pixels.max())) if pixels.size else (0.0, 0.0)
    whole = np.issubdtype(pixels.dtype, np.integer)
    if whole and low >= 0 and high < 1 << 16:
        depth = next(depth for depth in _BIT_DEPTHS if max(high, (1 << min(bits, 16)) - 1) < 1 << depth)
        _log_depth(depth, what, int(high))
        return 0.0, float((1 << depth) - 1)
    if not whole and low >= 0 and high <= 1:
        return 0.0, 1.0
    raise MediaError(f"{what} holds {pixels.dtype} values from {low:g} to {high:g}; which of them mean black and white is not "
                     "known. Give image_range: [black, white], or save it with 8 or 16 bits")


def _log_depth(depth: int, what: str, high: int) -> None:
    """Say once per process and bit depth how 16-bit images are read."""
    if depth in _LOGGED_DEPTHS:
        return
    _LOGGED_DEPTHS.add(depth)
    get_logger(__name__).warning(
        "%s holds 16-bit values up to %d and is read as %d-bit: 0..%d becomes 0..255, and so for every such image; "
        "image_range: [black, white] sets one range for all images",
        what, high, depth, (1 << depth) - 1,
    )  # fmt: skip


def pixels_of_pil(image: Any, image_range: Optional[ImageRange] = None) -> np.ndarray:
    """(H, W, 3) RGB uint8 of a PIL image, its 16-bit and float modes scaled as `to_uint8` does; its EXIF orientation is not
    applied.

    Raises:
        MediaError: a float or 32-bit mode without a known range.
    """
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        grey = np.asarray(image)
        if image.mode.startswith("I;16"):
            grey = grey.astype(np.uint16)
        return np.repeat(to_uint8(grey, image_range, "the PIL image")[..., None], 3, axis=2)
    return np.asarray(image.convert("RGB"))
