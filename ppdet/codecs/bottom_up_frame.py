"""The whole image as the input of a bottom-up network: short side fixed, long side rounded up, nothing stretched."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Sequence

import numpy as np

from ppdet.core.errors import DataError
from ppdet.core.logger import get_logger
from ppdet.geometry.crop import Crop

#: Longest network input, in multiples of the short side. A more elongated image (a panorama, a strip) is scaled down as a whole,
#: which limits memory and time.
LONGEST_ASPECT = 8

_log = get_logger(__name__)


def bottom_up_frame(
    image_wh: Sequence[int], short_side: int, divisor: int, scale: float, min_scale: float, paddledet_exact: bool
) -> Crop:
    """A single whole-image crop.

    The short side becomes ``scale * short_side``. The long side is scaled likewise and rounded up to the divisor at ``min_scale``
    (so that all scales of a multi-scale test cover the same part of the image); the rest is black. The centre of the image goes
    to the centre of the input.

    Args:
        image_wh: (width, height) in pixels.
        short_side: at scale 1.
        divisor: sides are multiples of it at ``min_scale``.
        scale: of this input.
        min_scale: the smallest scale of the test.
        paddledet_exact: PaddleDetection's rounding of centre and long side, which differs by half a pixel and one divisor.

    Raises:
        DataError: an image without pixels, or scales that are not positive.
    """
    width, height = (int(v) for v in image_wh)
    if width < 1 or height < 1:
        raise DataError(f"an image of {width} x {height} pixels is empty")
    if not 0 < min_scale <= scale:
        raise DataError(f"frame: scale must be positive and not below min_scale; given {scale} and {min_scale}")
    short, long = min(width, height), max(width, height)
    base = int(_up(min_scale * short_side, divisor))
    if long > LONGEST_ASPECT * short:
        long_base = LONGEST_ASPECT * base
        base = max(int(_up(short * long_base / long, divisor)), divisor)
        pixels_per_input = long / long_base
        _log_shrunk(width, height, short_side, int(long_base * scale / min_scale))
    else:
        pixels_per_input = short / base
        exact = base / short * long
        long_base = math.ceil(exact / divisor) * divisor if paddledet_exact else int(_up(exact, divisor))
    sides = [int(side * scale / min_scale) for side in (base, long_base)]
    input_wh = (sides[0], sides[1]) if width < height else (sides[1], sides[0])
    pixels_per_input *= min_scale / scale
    half = np.array([width, height]) / 2
    center = np.round(half) if paddledet_exact else np.floor(half + 0.5)
    return Crop(center[None], np.array([input_wh]) * pixels_per_input, np.zeros(1), input_wh, "affine")


def _up(side: float, divisor: int) -> float:
    """Round up to a multiple, ignoring fractions of a pixel beyond it, as the authors' integer arithmetic does."""
    return (side + divisor - 1) // divisor * divisor


@lru_cache(maxsize=256)
def _log_shrunk(width: int, height: int, short_side: int, length: int) -> None:
    """Log once per size, not per frame of a video."""
    _log.warning("an image of %d x %d pixels is too long and thin for a short side of %d: shrunk as a whole to %d pixels in "
                 "length; for more detail cut it into parts", width, height, short_side, length)
