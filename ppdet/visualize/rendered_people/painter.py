"""Collects the parts of one person and paints them from back to front."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ppdet.visualize.rendered_people.shading import Canvas, Material


class Painter:
    """Parts of one person, painted from the farthest to the nearest.

    Args:
        canvas: what to paint on.
        unit: height of the person in pixels.
    """

    def __init__(self, canvas: Canvas, unit: float) -> None:
        self.canvas, self.unit = canvas, unit
        self._tasks: list[tuple[float, Callable[[], None]]] = []

    def add(self, depth: float, task: Callable[[], None]) -> None:
        """Remember to call `task` at its turn; `depth` grows towards the viewer."""
        self._tasks.append((depth, task))

    def tube(
        self, depth: float, label: int, start: np.ndarray, end: np.ndarray, radii: np.ndarray, material: Material,
        dim: float = 1.0, flat: tuple[bool, bool] = (False, False),
    ) -> None:
        """Add a round shape as `Canvas.tube` paints it, `radii` in units of the height; of (3,) points, x and y count."""
        self.add(depth, lambda: self.canvas.tube(start[:2], end[:2], radii * self.unit, material, self.unit, label, dim, flat))

    def paint(self) -> None:
        """Paint everything."""
        for _, task in sorted(self._tasks, key=lambda pair: pair[0]):
            task()
