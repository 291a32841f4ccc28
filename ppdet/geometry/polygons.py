"""Polygons in image pixels, by Shapely."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np

from ppdet.core.errors import ConfigError
from ppdet.core.extras import install_extra

FEWEST_POINTS = 3


def polygon_of(points: np.ndarray, what: str) -> Any:
    """A Shapely polygon.

    Args:
        points: (P, 2) corners in order, image pixels; the last need not repeat the first.
        what: names the polygon in messages, such as "zone door".

    Raises:
        ConfigError: fewer than three corners, corners that are not finite, edges that cross, no area, or Shapely is not
            installed.
    """
    if find_spec("shapely") is None:
        raise ConfigError(f"{what} needs Shapely, which is not installed here: pip install shapely, or "
                          f"{install_extra('tracking')}")
    import shapely

    points = np.asarray(points, np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < FEWEST_POINTS:
        raise ConfigError(f"{what} has corners of shape {points.shape}: give at least {FEWEST_POINTS} corners x, y")
    if not np.isfinite(points).all():
        raise ConfigError(f"{what} has a corner that is not finite: {points.tolist()}")
    polygon = shapely.Polygon(points)
    if not polygon.is_valid or polygon.area <= 0:
        reason = shapely.is_valid_reason(polygon) if not polygon.is_valid else "it has no area"
        raise ConfigError(f"{what} is no simple polygon ({reason}): give its corners in order along the edge")
    return polygon


def points_inside(polygon: Any, xy: np.ndarray) -> np.ndarray:
    """(N,) bool: which of (N, 2) points lie in a polygon of `polygon_of` or on its edge."""
    import shapely

    xy = np.asarray(xy, np.float64).reshape(-1, 2)
    return np.asarray(shapely.intersects_xy(polygon, xy[:, 0], xy[:, 1]))
