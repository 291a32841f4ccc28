"""Text that can be read on any image: on a background of its own, and never cut off by the image's edge."""
from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np

FONT = cv2.FONT_HERSHEY_SIMPLEX
LIGHT, DARK = (255, 255, 255), (16, 16, 16)
SMALLEST_SCALE, LARGEST_SCALE = 0.35, 1.4
LABEL_STEP = 1.05


def draw_tag(
    canvas: np.ndarray, text: str, corner_xy: tuple[float, float], ground: tuple[int, int, int], above: bool = True,
    scale: float | None = None,
) -> None:
    """Write text on a filled rectangle, in place.

    Args:
        canvas: (H, W, 3) uint8.
        text: a line.
        corner_xy: the tag's lower left corner if `above`, else its upper left one. A tag that would leave the image is moved
            inside; one that would be above the top edge goes below the corner.
        ground: colour of the rectangle, RGB; the text is dark on light colours and light on dark ones.
        scale: size of the text; None goes by the image's size.
    """
    height, width = canvas.shape[:2]
    scale = text_scale(canvas) if scale is None else scale
    stroke = max(1, int(round(scale * 1.6)))
    (text_w, text_h), descent = _text_size(text, scale, stroke)
    pad = max(2, int(round(4 * scale)))
    tag_w, tag_h = text_w + 2 * pad, text_h + descent // 2 + 2 * pad
    left, top = _whole(corner_xy[0], width), _whole(corner_xy[1], height)
    top = top - tag_h if above and top >= tag_h else top
    left, top = max(0, min(left, width - tag_w)), max(0, min(top, height - tag_h))
    cv2.rectangle(canvas, (left, top), (left + tag_w - 1, top + tag_h - 1), ground, -1)
    ink = DARK if 0.299 * ground[0] + 0.587 * ground[1] + 0.114 * ground[2] > 120 else LIGHT
    cv2.putText(canvas, text, (left + pad, top + pad + text_h), FONT, scale, ink, stroke, cv2.LINE_AA)


@lru_cache(maxsize=1024)
def _text_size(text: str, scale: float, stroke: int) -> tuple[tuple[int, int], int]:
    """`cv2.getTextSize`, which takes .05 to .25 ms."""
    (width, height), descent = cv2.getTextSize(text, FONT, scale, stroke)
    return (width, height), descent


def text_scale(canvas: np.ndarray) -> float:
    """Size of text that suits an image: about a fortieth of its longer side, legible and not in the way."""
    return min(max(max(canvas.shape[:2]) / 1500.0 + 0.15, SMALLEST_SCALE), LARGEST_SCALE)


def label_scale(canvas: np.ndarray, object_size: float) -> float:
    """Size of a label on an object of that many pixels: a tenth of the object, but no larger than suits the image.

    In steps of 5 %, so that a label does not pulsate with the box and its text need not be measured in each frame.
    """
    step = SMALLEST_SCALE * LABEL_STEP ** round(math.log(max(object_size / 220.0 / SMALLEST_SCALE, 1.0), LABEL_STEP))
    return min(step, text_scale(canvas))


def _whole(value: float, most: int) -> int:
    return 0 if math.isnan(value) else int(min(max(value, 0), most))
