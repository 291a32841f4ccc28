"""Brings the images of a batch to one size, another one for each batch."""

from __future__ import annotations

from typing import Any, List, Sequence, Tuple, Union

import cv2

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.data.samples.image import ImageSample
from ppdet.data.transforms.detection.box_operations import resize

INTERPOLATIONS = (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_AREA, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
Size = Union[int, Sequence[int]]


@register
class BatchRandomResize:
    """Stretches all images of a batch to a size of the list.

    Args:
        target_size: sizes, each a number for a square or [height, width].
        keep_ratio: only false is supported: a batch needs images of one size.
        interp: OpenCV's number (0 nearest, 1 linear, 2 cubic, 3 area, 4 Lanczos), unless `random_interp`.
        random_size: false takes the first size always.
        random_interp: one of the five at random for each batch.

    Raises:
        ConfigError: no size, or keep_ratio.
    """

    def __init__(
        self,
        target_size: Union[int, Sequence[Size]],
        keep_ratio: bool = False,
        interp: int = cv2.INTER_NEAREST,
        random_size: bool = True,
        random_interp: bool = False,
    ) -> None:
        sizes = [target_size] if isinstance(target_size, int) else list(target_size)
        if keep_ratio:
            raise ConfigError("BatchRandomResize: keep_ratio: true would give a batch of different sizes; set it to false")
        if not random_size:
            sizes = sizes[:1]
        self.sizes_wh = [_wh(size) for size in sizes]
        if not self.sizes_wh or interp not in range(5):
            raise ConfigError(f"BatchRandomResize: target_size lists sizes, interp is 0..4; given {target_size!r}, {interp!r}")
        self.interp, self.random_interp = interp, random_interp

    @property
    def size_spread(self) -> float:
        """Area of the largest size / that of the smallest: how much batches differ in memory."""
        areas = [width * height for width, height in self.sizes_wh]
        return max(areas) / min(areas)

    def draw(self, rng: Any) -> Tuple[Tuple[int, int], int]:
        """(width, height) and interpolation of a batch."""
        size = self.sizes_wh[int(rng.integers(0, len(self.sizes_wh)))] if len(self.sizes_wh) > 1 else self.sizes_wh[0]
        return size, INTERPOLATIONS[int(rng.integers(0, len(INTERPOLATIONS)))] if self.random_interp else self.interp

    def apply_samples(self, samples: List[ImageSample], rng: Any) -> List[ImageSample]:
        """Resize the images of a list of samples, before they are stacked."""
        size, interpolation = self.draw(rng)
        return [resize(sample, size, interpolation) for sample in samples]


def _wh(size: Size) -> Tuple[int, int]:
    height, width = (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))
    if min(height, width) < 1:
        raise ConfigError(f"BatchRandomResize: a size is a number or [height, width] above 0; given {size!r}")
    return width, height
