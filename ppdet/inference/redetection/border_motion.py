"""Detects motion at the edge of the image, where people enter."""
from __future__ import annotations

import cv2
import numpy as np

# The image is compared at this width and height; people who come in are several cells high.
CELLS_WH = (48, 27)
# Cells from the edge that are watched, and change of grey level that counts as motion.
BAND, LEAST_CHANGE = 3, 18.0
# Cells of the band that must move; fewer are noise, leaves, or a corner of a shadow.
FEWEST_CELLS = 5
# Motion within the boxes of known people, enlarged by this share of their size, is ignored.
AROUND = 0.15


class BorderMotion:
    """Compares the border of each frame with that of the frame before."""

    def __init__(self) -> None:
        self._last: np.ndarray | None = None
        self._band = np.ones(CELLS_WH[::-1], bool)
        self._band[BAND:-BAND, BAND:-BAND] = False

    def is_moving(self, image: np.ndarray, boxes: np.ndarray) -> bool:
        """Whether something other than the known people moves at the border. False for the first frame.

        Args:
            image: (H, W, 3) RGB uint8.
            boxes: (N, 4) xyxy of the known people.
        """
        small = thumbnail(image, CELLS_WH)
        last, self._last = self._last, small
        if last is None:
            return False
        change = small - last
        change -= np.median(change)  # a change of the light
        moving = (np.abs(change) >= LEAST_CHANGE) & self._band
        if np.count_nonzero(moving) < FEWEST_CELLS:
            return False
        scale = np.array(CELLS_WH * 2) / np.array(image.shape[1::-1] * 2)
        for box in boxes:
            extra = AROUND * float(np.max(box[2:] - box[:2]))
            x1, y1, x2, y2 = (box + [-extra, -extra, extra, extra]) * scale
            moving[max(0, int(y1)) : max(0, int(np.ceil(y2))), max(0, int(x1)) : max(0, int(np.ceil(x2)))] = False
        return bool(np.count_nonzero(moving) >= FEWEST_CELLS)


def thumbnail(image: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    """(h, w) float32 grey levels; large images are subsampled, since reading all pixels takes longer than a pose."""
    step = max(1, min(image.shape[0] // (4 * size_wh[1]), image.shape[1] // (4 * size_wh[0])))
    small = cv2.resize(np.ascontiguousarray(image[::step, ::step, 1]), size_wh, interpolation=cv2.INTER_AREA)
    return small.astype(np.float32)
