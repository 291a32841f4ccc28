"""Polygons: which points are inside, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from ppdet.core.errors import ConfigError
from ppdet.geometry import polygons
from ppdet.geometry.polygons import points_inside, polygon_of

ARROW = np.array([[0, 0], [10, 0], [10, 10], [5, 4], [0, 10]], float)
"""Not convex: the notch reaches down to (5, 4)."""


@pytest.fixture(autouse=True)
def shapely() -> None:
    pytest.importorskip("shapely")


def test_the_notch_is_outside_and_the_edge_inside() -> None:
    xy = np.array([[5, 2], [5, 6], [1, 7], [9, 7], [0, 5], [10, 10], [5, 4], [11, 5], [-0.001, 5]])
    expected = [True, False, True, True, True, True, True, False, False]
    assert points_inside(polygon_of(ARROW, "zone"), xy).tolist() == expected
    assert points_inside(polygon_of(ARROW[::-1], "zone"), xy).tolist() == expected  # either way round
    assert points_inside(polygon_of([*ARROW, ARROW[0]], "zone"), xy).tolist() == expected  # closed or not


def test_no_points_and_points_that_are_nowhere() -> None:
    polygon = polygon_of(ARROW, "zone")
    assert points_inside(polygon, np.zeros((0, 2))).shape == (0,)
    assert points_inside(polygon, np.array([[np.nan, 2.0], [5.0, np.inf]])).tolist() == [False, False]


@pytest.mark.parametrize(
    ("corners", "words"),
    [
        ([[0, 0], [1, 1]], r"zone door has corners of shape \(2, 2\): give at least 3"),
        ([[0, 0, 0], [1, 0, 0], [1, 1, 0]], r"corners of shape \(3, 3\)"),
        ([0, 1, 2], r"corners of shape \(3,\)"),
        ([[0, 0], [1, np.nan], [1, 1]], "a corner that is not finite"),
        ([[0, 0], [2, 2], [2, 0], [0, 2]], "is no simple polygon .*Self-intersection.*in order along the edge"),
        ([[0, 0], [1, 1], [2, 2]], "is no simple polygon"),
    ],
)
def test_what_is_no_polygon(corners: list, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        polygon_of(corners, "zone door")


def test_without_shapely_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polygons, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="zone door needs Shapely, which is not installed here: pip install shapely"):
        polygon_of(ARROW, "zone door")
