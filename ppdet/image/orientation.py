"""EXIF orientation: which way up stored pixels are to be shown."""

from __future__ import annotations

import numpy as np


def turn_upright(image: np.ndarray, orientation: int) -> np.ndarray:
    """(H, W, C) stored pixels as viewers show them; the result is contiguous.

    Args:
        image: pixels as they are stored.
        orientation: EXIF tag 0x0112 (CIPA DC-008): 1 upright, 2 mirrored, 3 half a turn, 4 mirrored top to bottom, 5 transposed,
            6 to be turned right, 7 transposed along the other diagonal, 8 to be turned left.
    """
    if orientation >= 5:
        image = image.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return np.ascontiguousarray(image)
