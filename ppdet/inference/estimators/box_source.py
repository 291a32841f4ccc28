"""What a pipeline takes in place of a detector: anything with `detect`, or a function.

Legend: N boxes, H W pixels.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable, Protocol

import numpy as np

from ppdet.core.errors import DataError
from ppdet.core.logger import get_logger
from ppdet.inference.estimators.detections import Detections

BoxFunction = Callable[[np.ndarray], Any]


class BoxSource(Protocol):
    """Finds boxes in images.

    Attributes:
        person_label: number of the class that is people, or several.
    """

    @property
    def person_label(self) -> int | Sequence[int]:
        """See above."""

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        """Boxes of (H, W, 3) RGB uint8 images, in image pixels."""


class FunctionBoxes:
    """Boxes from a Python function.

    Args:
        function: takes an (H, W, 3) RGB uint8 image and returns the boxes of its people in image pixels: (N, 4) x1, y1, x2, y2;
            (N, 5) with a score; a pair of boxes and (N,) scores; or `Detections`. Without scores they count as sure.
    """

    person_label = 0

    def __init__(self, function: BoxFunction) -> None:
        self.function = function
        self.name = getattr(function, "__name__", type(function).__name__)

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        """See `BoxSource.detect`.

        Raises:
            DataError: the function returns something else.
        """
        return [inside_image(self._boxes(image), image, self.name) for image in images]

    def _boxes(self, image: np.ndarray) -> Detections:
        found = self.function(image)
        if isinstance(found, Detections):
            return Detections.from_rows(found.boxes_xyxy, found.scores, np.zeros(len(found)))
        boxes, scores = found if isinstance(found, tuple) and len(found) == 2 else (found, None)
        try:
            table = np.asarray([] if boxes is None else boxes, np.float64)
            table = table.reshape(0, 4) if table.size == 0 else table
            if table.ndim != 2 or table.shape[1] not in (4, 5) or not np.isfinite(table).all():
                raise ValueError(f"shape {table.shape}")
            if scores is None:
                scores = table[:, 4] if table.shape[1] == 5 else np.ones(len(table))
            scores = np.asarray(scores, np.float64).reshape(-1)
            if len(scores) != len(table) or not np.isfinite(scores).all():
                raise ValueError(f"{len(table)} boxes and {len(scores)} scores")
        except (TypeError, ValueError) as error:
            raise DataError(f"the detector function {self.name} returned {type(found).__name__} ({error}): expected finite boxes "
                            "(N, 4) x1 y1 x2 y2, (N, 5) with scores, or a pair of boxes and scores") from error
        return Detections.from_rows(table[:, :4], scores, np.zeros(len(table)))


def inside_image(found: Detections, image: np.ndarray, name: str) -> Detections:
    """Boxes that have an area and lie at least partly within the image; the rest is left out, with a warning.

    Given boxes are not clipped: the crop of a person at the border shows what the giver meant.
    """
    height, width = image.shape[:2]
    x1, y1, x2, y2 = found.boxes_xyxy.T
    good = (x2 > x1) & (y2 > y1) & (x2 > 0) & (y2 > 0) & (x1 < width) & (y1 < height)
    if not good.all():
        get_logger(__name__).warning("%s: %d of %d boxes are empty or outside of the image of %d x %d pixels and are left out",
                                     name, int((~good).sum()), len(good), width, height)
    return found[good]
