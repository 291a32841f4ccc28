"""Finds scene cuts in a video."""
from __future__ import annotations

import cv2
import numpy as np

# Frames are compared at this width and height: motion within the scene is a few of these pixels, a cut changes them all.
THUMBNAIL_WH = (32, 18)
# Correlation of two thumbnails below which they show different scenes. Frames of one scene stay above .8, also in pans and shake;
# unrelated scenes lie around 0.
SAME_SCENE = 0.35
# Standard deviation of a thumbnail, in grey levels, below which it shows nothing that could be compared: black frames, fades.
FLAT = 3.0


class SceneCuts:
    """Compares each frame with the one before it.

    Brightness and contrast are normalised, so that flashes and fades are not cuts; a fade to black is compared across the black.
    """

    def __init__(self) -> None:
        self._last: np.ndarray | None = None
        self._upcoming: tuple[np.ndarray, np.ndarray | None] | None = None

    def is_cut(self, image: np.ndarray) -> bool:
        """Whether this frame shows another scene than the last one.

        Args:
            image: (H, W, 3) RGB uint8.
        """
        known, self._upcoming = self._upcoming, None
        thumbnail = known[1] if known is not None and known[0] is image else _thumbnail(image)
        is_cut = self._differs(thumbnail)
        self._last = self._last if thumbnail is None else thumbnail
        return is_cut

    def will_be_cut(self, upcoming: np.ndarray) -> bool:
        """What `is_cut` will say of the next frame; until then it must keep its pixels."""
        thumbnail = _thumbnail(upcoming)
        self._upcoming = upcoming, thumbnail
        return self._differs(thumbnail)

    def _differs(self, thumbnail: np.ndarray | None) -> bool:
        return thumbnail is not None and self._last is not None and float((self._last * thumbnail).mean()) < SAME_SCENE


def _thumbnail(image: np.ndarray) -> np.ndarray | None:
    """Small, blurred, of mean 0 and deviation 1; None if it is flat."""
    # Every n-th pixel first: averaging all of a large frame would take longer than the tracker.
    step = max(1, min(image.shape[0] // (4 * THUMBNAIL_WH[1]), image.shape[1] // (4 * THUMBNAIL_WH[0])))
    small = cv2.resize(np.ascontiguousarray(image[::step, ::step]), THUMBNAIL_WH, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (3, 3), 0).astype(np.float32)
    small -= small.mean()
    deviation = float(small.std())
    return None if deviation < FLAT else small / deviation
