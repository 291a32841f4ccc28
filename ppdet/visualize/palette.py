"""Colours: one per identity, the same in every frame, and one per keypoint for skeletons without sides."""
from __future__ import annotations

import colorsys
from collections.abc import Sequence

GOLDEN_RATIO = 0.618033988749895

# Hues (0 to 1) left to identities. The gaps lie round the colours of the right side (.06, orange), the left side (.36, green) and
# the middle (.56, blue) of a skeleton, so that a torso or a box never looks like a limb of somebody else.
_IDENTITY_HUES = ((0.13, 0.28), (0.44, 0.495), (0.64, 0.99))


def person_color(identity: int) -> tuple[int, int, int]:
    """Colour of a person as RGB bytes.

    Hues step round what is left of the colour circle by the golden ratio, so any few consecutive identities lie far apart and
    the colours never run out.

    Args:
        identity: track id, or the position of the person in the image.
    """
    along = (0.33 + identity * GOLDEN_RATIO) % 1.0 * sum(high - low for low, high in _IDENTITY_HUES)
    hue = _IDENTITY_HUES[0][0]
    for low, high in _IDENTITY_HUES:
        hue = low + along
        if hue < high:
            break
        along -= high - low
    return _rgb(hue, 0.75 if identity % 2 else 0.6)


def keypoint_color(index: int) -> tuple[int, int, int]:
    """Colour of the keypoint at a position of a skeleton whose keypoints have no sides and no links, as RGB bytes."""
    return _rgb((index * GOLDEN_RATIO) % 1.0, (0.9, 0.55)[index % 2])


def _rgb(hue: float, saturation: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, 1.0)
    return int(red * 255), int(green * 255), int(blue * 255)


def rgb_from_bgr(color: Sequence[int]) -> tuple[int, int, int]:
    """Skeletons store colours in OpenCV's BGR order; this package draws on RGB images."""
    blue, green, red = (int(channel) for channel in color)
    return red, green, blue
