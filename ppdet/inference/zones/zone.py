"""A named polygon of the image, and who is in it.

Legend: N people, P corners, Z zones.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from ppdet.core.errors import ConfigError
from ppdet.core.logger import get_logger
from ppdet.geometry.polygons import points_inside, polygon_of

FEET, CENTER = "feet", "center"
ANCHORS = (FEET, CENTER)


@dataclass(frozen=True)
class Zone:
    """A polygon with a name.

    Attributes:
        name: shown in drawings and records.
        points: x, y of each corner in order: image pixels, or shares of the image's width and height if all are from 0 to 1.
        anchor: which point of a person must be inside: "feet", the middle of the box's lower edge, or "center" of the box.

    Raises:
        ConfigError: no name, an unknown anchor, or corners that make no simple polygon.
    """

    name: str
    points: tuple[tuple[float, float], ...]
    anchor: str = FEET
    is_relative: bool = field(init=False)

    def __post_init__(self) -> None:
        if not self.name:
            raise ConfigError("a zone needs a name: NAME:x,y,x,y,x,y")
        if self.anchor not in ANCHORS:
            raise ConfigError(f"zone {self.name}: anchor is {self.anchor!r}, give {' or '.join(ANCHORS)}")
        polygon_of(np.array(self.points), f"zone {self.name}")
        corners = np.array(self.points)
        object.__setattr__(self, "is_relative", bool((corners >= 0).all() and (corners <= 1).all()))

    def pixels(self, image_wh: tuple[int, int]) -> np.ndarray:
        """(P, 2) corners in pixels of an image of that size."""
        corners = np.array(self.points, np.float64)
        return corners * image_wh if self.is_relative else corners

    def contains(self, boxes_xyxy: np.ndarray, image_wh: tuple[int, int]) -> np.ndarray:
        """(N,) bool: whose anchor is in the zone or on its edge.

        Args:
            boxes_xyxy: (N, 4).
            image_wh: size of the image.
        """
        boxes = np.asarray(boxes_xyxy, np.float64).reshape(-1, 4)
        y = boxes[:, 3] if self.anchor == FEET else (boxes[:, 1] + boxes[:, 3]) / 2
        xy = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, y], axis=1)
        return points_inside(_polygon(self, tuple(image_wh)), xy)


def membership(zones: Sequence[Zone], boxes_xyxy: np.ndarray, image_wh: tuple[int, int]) -> np.ndarray:
    """(N, Z) bool: who is in which zone."""
    boxes = np.asarray(boxes_xyxy).reshape(-1, 4)
    return np.stack([zone.contains(boxes, image_wh) for zone in zones], axis=1) if zones else np.zeros((len(boxes), 0), bool)


@lru_cache(maxsize=256)
def _polygon(zone: Zone, image_wh: tuple[int, int]) -> Any:
    """The polygon in an image of that size; says once if it lies outside."""
    corners = zone.pixels(image_wh)
    low, high = corners.min(axis=0), corners.max(axis=0)
    if (high < 0).any() or (low > np.array(image_wh) - 1).any():
        get_logger(__name__).warning("zone %s lies outside the image of %d x %d pixels, so nobody is in it", zone.name, *image_wh)
    return polygon_of(corners, f"zone {zone.name}")
