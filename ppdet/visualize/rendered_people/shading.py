"""Round, lit, textured shapes, painted into an image with soft edges.

Legend: h w = pixels of the part of the image that a shape covers. Colours are RGB, 0 to 255; light falls from the upper left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

LIGHT = np.array([-0.48, -0.62, 0.62], np.float32)  # x right, y down, z to the viewer; unit length within a hundredth
AMBIENT, DIRECT = 0.52, 0.6
_TEXTURE_SIZE = 256
EDGE = 0.7  # pixels over which an edge fades


@dataclass(frozen=True)
class Material:
    """How a surface looks.

    Attributes:
        color: RGB.
        pattern: "plain", "stripes" (across the shape), "bars" (along it) or "checks".
        second: RGB of the pattern.
        period: of the pattern, in units of the person's height.
        wrinkles: strength of folds, 0 for skin.
        gloss: strength of the highlight.
    """

    color: tuple[float, float, float]
    pattern: str = "plain"
    second: tuple[float, float, float] = (0.0, 0.0, 0.0)
    period: float = 0.05
    wrinkles: float = 0.12
    gloss: float = 0.0


def smooth_noise(rng: np.random.Generator, size: int = _TEXTURE_SIZE, coarse: int = 16) -> np.ndarray:
    """(size, size) float32 that repeats seamlessly, mean 0, deviation 1, with features of `size` / `coarse` pixels."""
    cells = rng.normal(size=(coarse, coarse)).astype(np.float32)
    padded = np.pad(cells, 2, mode="wrap")
    scale = size // coarse
    large = cv2.resize(padded, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    noise = large[2 * scale : 2 * scale + size, 2 * scale : 2 * scale + size]
    return (noise - noise.mean()) / noise.std()


class Canvas:
    """An RGB image and, per pixel, the label of what was painted there last.

    Args:
        image: (H, W, 3) background, 0 to 255; copied.
        textures: from `smooth_noise`; parts take turns.
    """

    def __init__(self, image: np.ndarray, textures: list[np.ndarray]) -> None:
        self.image = image.astype(np.float32)
        self.labels: np.ndarray = np.zeros(image.shape[:2], np.int32)
        self._textures = textures

    def window(self, low_xy: np.ndarray, high_xy: np.ndarray) -> tuple[slice, slice] | None:
        """Rows and columns of the image between two corners, or None if they lie outside."""
        height, width = self.labels.shape
        left, top = max(math.floor(low_xy[0]), 0), max(math.floor(low_xy[1]), 0)
        right, bottom = min(math.ceil(high_xy[0]) + 1, width), min(math.ceil(high_xy[1]) + 1, height)
        return None if right <= left or bottom <= top else (slice(top, bottom), slice(left, right))

    def blend(self, window: tuple[slice, slice], color: np.ndarray, alpha: np.ndarray, label: int) -> None:
        """Mix (h, w, 3) `color` into the window by (h, w) `alpha`, and label what is mostly covered."""
        area = self.image[window]
        area += alpha[..., None] * (color - area)
        self.labels[window][alpha > 0.5] = label

    def tube(
        self, start: np.ndarray, end: np.ndarray, radii: np.ndarray, material: Material, unit: float, label: int,
        dim: float = 1.0, flat: tuple[bool, bool] = (False, False),
    ) -> None:
        """Paint a limb: a round shape about an axis.

        Args:
            start, end: (2,) image pixels.
            radii: pixels, at equal steps from start to end.
            material: its surface.
            unit: the person's height in pixels, for patterns.
            label: for `labels`.
            dim: factor on the light, for parts in the shadow of others.
            flat: whether start and end are cut straight, like a hem, instead of rounded.
        """
        most = float(radii.max()) + 1
        window = self.window(np.minimum(start, end) - most, np.maximum(start, end) + most)
        if window is None:
            return
        rows_of, columns_of = window
        dx = np.arange(columns_of.start, columns_of.stop, dtype=np.float32)[None] - np.float32(start[0])
        dy = np.arange(rows_of.start, rows_of.stop, dtype=np.float32)[:, None] - np.float32(start[1])
        length = max(math.hypot(end[0] - start[0], end[1] - start[1]), 1e-3)
        axis_x, axis_y = (float(value) / length for value in end - start)
        along = dx * axis_x + dy * axis_y  # pixels from start, towards end
        nearest = np.minimum(np.maximum(along, 0), np.float32(length))
        radius = steps_between(radii, nearest / length)
        off_x, off_y = dx - nearest * axis_x, dy - nearest * axis_y
        inside = (radius - np.sqrt(off_x * off_x + off_y * off_y)) / EDGE + 0.5
        for is_flat, beyond in zip(flat, (along, length - along)):
            if is_flat:
                inside = np.minimum(inside, beyond / EDGE + 0.5)
        rows, columns = (inside > 0).nonzero()
        if not len(rows):
            return
        place = rows, columns  # from here on only what is covered
        alpha, radius = np.minimum(inside[place], 1.0), radius[place] + EDGE
        across = (dx[0, columns] * axis_y - dy[rows, 0] * axis_x) / radius
        color = self._surface(along[place] / unit, across * (radius / unit), off_x[place] / radius, off_y[place] / radius,
                              material, label, dim)  # fmt: skip
        area = self.image[window]
        area[place] += alpha[:, None] * (color - area[place])
        solid = alpha > 0.5
        self.labels[window][rows[solid], columns[solid]] = label

    def _surface(
        self, along: np.ndarray, across: np.ndarray, normal_x: np.ndarray, normal_y: np.ndarray, material: Material, label: int,
        dim: float,
    ) -> np.ndarray:
        """(n, 3) colours of n pixels; `along` and `across` are places on the surface in units of the person's height."""
        texture = self._textures[label % len(self._textures)]
        rows = (along * 700 + 37 * label).astype(np.int32) & (_TEXTURE_SIZE - 1)
        columns = (across * 1400 + 11 * label).astype(np.int32) & (_TEXTURE_SIZE - 1)
        grain = texture[rows, columns]
        if material.wrinkles:
            normal_x = normal_x + material.wrinkles * grain
        light = (light_on(normal_x, normal_y) + 0.1 * material.wrinkles * grain) * dim
        base = rgb(material.color)
        if material.pattern != "plain":
            base = base + pattern_share(along, across, material)[:, None] * (rgb(material.second) - base)
        color = base * light[:, None]
        if material.gloss:
            shine = np.clip(1 - (normal_x - LIGHT[0] * 0.7) ** 2 * 6 - (normal_y - LIGHT[1] * 0.7) ** 2 * 6, 0, 1)
            color = color + (material.gloss * 255 * shine)[:, None]
        return np.clip(color, 0, 255)


def rgb(color: Sequence[float]) -> np.ndarray:
    """A colour as a (3,) float32 array."""
    return np.array(color, np.float32)


def steps_between(values: np.ndarray, share: np.ndarray) -> np.ndarray:
    """`values` at equal steps, interpolated linearly at `share` from 0 (the first) to 1 (the last), as float32."""
    values = values.astype(np.float32)
    position = share * (len(values) - 1)
    index = np.minimum(position.astype(np.int32), len(values) - 2)
    return values[index] + (position - index) * (values[index + 1] - values[index])


def light_on(normal_x: np.ndarray, normal_y: np.ndarray) -> np.ndarray:
    """Light on a surface with these normals (x right, y down): daylight from all around, sun from the upper left."""
    normal_z = np.sqrt(np.clip(1 - normal_x**2 - normal_y**2, 0.0, 1.0))
    sun = np.clip(normal_x * LIGHT[0] + normal_y * LIGHT[1] + normal_z * LIGHT[2], 0.0, 1.0)
    return (AMBIENT - 0.12 * normal_y) * (0.6 + 0.4 * normal_z) + DIRECT * sun


def pattern_share(along: np.ndarray, across: np.ndarray, material: Material) -> np.ndarray:
    """(h, w) share of the second colour, 0 to 1, with soft transitions."""
    def wave(place: np.ndarray) -> np.ndarray:
        return np.clip(0.5 + 1.6 * np.sin(place * (2 * np.pi / material.period)), 0.0, 1.0)

    if material.pattern == "stripes":
        return wave(along + 0 * across)
    if material.pattern == "bars":
        return wave(across + 0 * along)
    return 0.5 * (wave(along) + wave(across))
