"""Image ids for COCO results."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def image_ids(paths: Sequence[Path]) -> list[int]:
    """A unique number per image, which depends only on the set of images.

    If all names are different numbers (000000000139.jpg), those are COCO's ids. Otherwise all images are numbered from 1 on;
    mixing both could give two images the same id.
    """
    if all(path.stem.isascii() and path.stem.isdigit() for path in paths):
        numbers = [int(path.stem) for path in paths]
        if len(set(numbers)) == len(numbers):
            return numbers
    return list(range(1, len(paths) + 1))
