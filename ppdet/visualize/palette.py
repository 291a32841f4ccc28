"""Colours that tell people apart: one colour for each identity, the same in every frame."""
from __future__ import annotations

import colorsys
from collections.abc import Sequence

GOLDEN_RATIO = 0.618033988749895


def person_color(identity: int) -> tuple[int, int, int]:
    """Colour of a person as RGB bytes.

    Hues step round the colour circle by the golden ratio, so any few consecutive identities lie far apart and no
    identity runs out of colours.

    Args:
        identity: track id, or the place of the person in the picture.
    """
    hue = (0.33 + identity * GOLDEN_RATIO) % 1.0
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.75, 1.0)
    return int(red * 255), int(green * 255), int(blue * 255)


def rgb_from_bgr(color: Sequence[int]) -> tuple[int, int, int]:
    """Skeletons store colours in OpenCV's BGR order; this package draws on RGB images."""
    blue, green, red = (int(channel) for channel in color)
    return red, green, blue
