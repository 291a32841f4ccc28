"""Image ids for COCO results."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def image_ids(paths: Sequence[Path]) -> list[int]:
    """A unique number per image, the same whenever the same images are given.

    If all names are numbers (000000000139.jpg) and no two of them are the same number, they are COCO's ids. Otherwise
    all images are counted, from 1 on: to take the digits of some and count the others would let ids collide.
    """
    if all(path.stem.isascii() and path.stem.isdigit() for path in paths):
        numbers = [int(path.stem) for path in paths]
        if len(set(numbers)) == len(numbers):
            return numbers
    return list(range(1, len(paths) + 1))
