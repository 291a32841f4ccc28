"""The stage of the rendered people: sky, houses, trees and a pavement, out of focus; and a planter in the foreground."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ppdet.visualize.rendered_people.shading import rgb

HORIZON = 0.36  # height of the horizon, as a share of the image
GROUND = 1.13  # height of a person over the distance of their feet below the horizon
WALLS = ((176, 152, 130), (196, 186, 170), (150, 110, 92), (168, 172, 176))
AWNINGS = ((130, 44, 40), (40, 72, 60), (52, 62, 96))


@dataclass(frozen=True)
class Foreground:
    """Something that stands in front: the window of the image, (h, w, 3) colours and (h, w) coverage there."""

    window: tuple[slice, slice]
    color: np.ndarray
    alpha: np.ndarray


def street(size_wh: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """(H, W, 3) float32 RGB, 0 to 255."""
    width, height = size_wh
    image = np.empty((height, width, 3), np.float32)
    zenith, haze = rgb([148, 184, 222]), rgb([222, 230, 236])
    ys = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    image[:] = (zenith + (haze - zenith) * ys / HORIZON)[:, None, :]
    image += 14 * np.clip(_clouds(size_wh, rng, 10), 0, 2)[..., None]
    base = int(0.6 * height)
    _houses(image, base, rng)
    _trees(image, base, rng)
    _pavement(image, base, rng)
    return cv2.GaussianBlur(np.clip(image, 0, 255), (0, 0), width / 640)


def _clouds(size_wh: tuple[int, int], rng: np.random.Generator, cells: int) -> np.ndarray:
    """(H, W) smooth noise, mean 0, deviation about 1."""
    coarse = rng.normal(size=(cells, 2 * cells)).astype(np.float32)
    return cv2.resize(coarse, size_wh, interpolation=cv2.INTER_CUBIC)


def _houses(image: np.ndarray, base: int, rng: np.random.Generator) -> None:
    height, width = image.shape[:2]
    left = -int(0.03 * width)
    while left < width:
        wide = int(rng.uniform(0.16, 0.3) * width)
        top = int(rng.uniform(0.02, 0.2) * height)
        wall = rgb(WALLS[rng.integers(len(WALLS))]) + rng.normal(0, 6, 3)
        area = image[top:base, max(left, 0) : left + wide]
        area[:] = wall
        area += np.linspace(10, -16, area.shape[0], dtype=np.float32)[:, None, None]
        _windows(area, rng)
        area[:, -2:] *= 0.72
        left += wide


def _windows(area: np.ndarray, rng: np.random.Generator) -> None:
    """Rows of windows with frames, and a shop window at the bottom."""
    height, width = area.shape[:2]
    pitch_x, pitch_y = max(int(width / rng.integers(3, 5)), 12), max(height // 4, 16)
    for top in range(pitch_y // 4, height - pitch_y, pitch_y):
        for left in range(pitch_x // 4, width - pitch_x // 2, pitch_x):
            glass = area[top : top + pitch_y * 6 // 10, left : left + pitch_x // 2]
            glass[:] = rgb([74, 88, 104]) + rng.normal(0, 8)
            glass += np.linspace(34, 0, glass.shape[0], dtype=np.float32)[:, None, None]
            glass[:2], glass[-2:], glass[:, :2] = 214, 196, 206
    shop = area[height - int(0.75 * pitch_y) :, width // 8 : width * 7 // 8]
    if shop.size:
        shop[:] = rgb([62, 60, 60]) + np.linspace(26, 0, shop.shape[0], dtype=np.float32)[:, None, None]
        shop[: max(shop.shape[0] // 6, 1)] = AWNINGS[rng.integers(len(AWNINGS))]


def _trees(image: np.ndarray, base: int, rng: np.random.Generator) -> None:
    height, width = image.shape[:2]
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    leaves = _clouds((width, height), rng, 40)
    for share in (0.08, 0.6, 0.93):
        x, crown = share * width, 0.2 * height
        trunk = (np.abs(xs - x) < 0.007 * width) & (ys > 0.2 * height) & (ys < base + 0.02 * height)
        image[trunk] = (88, 70, 54)
        edge = np.hypot((xs - x) / (0.11 * width), (ys - crown) / (0.2 * height)) + 0.16 * leaves
        alpha = np.clip((1 - edge) * 6, 0, 1)[..., None]
        green = rgb([70, 98, 52]) + 20 * leaves[..., None] - 50 * (ys - crown)[..., None] / height
        image += alpha * (green - image)


def _pavement(image: np.ndarray, base: int, rng: np.random.Generator) -> None:
    """Paving stones in perspective, a kerb and a strip of road."""
    height, width = image.shape[:2]
    rows = np.arange(base, height, dtype=np.float32)[:, None]
    distance = 1.0 / np.maximum(rows / height - HORIZON, 0.05)  # of each row from the viewer
    across = (np.arange(width, dtype=np.float32)[None] / width - 0.5) * distance
    ground = 168 - 10 * distance + 5 * _clouds((width, height - base), rng, 30) + 4 * _clouds((width, height - base), rng, 90)
    joint = (np.abs((across * 3.0) % 1.0 - 0.5) > 0.475) | (np.abs((distance * 3.2 + 0 * across) % 1.0 - 0.5) > 0.46)
    ground = np.where(joint, ground - 24, ground)
    image[base:] = ground[..., None] * rgb([1.0, 0.975, 0.93])
    kerb = max(int(0.012 * height), 2)
    image[base : base + kerb] = (120, 116, 112)
    image[base - kerb : base] = (92, 92, 96)


def foreground_planter(size_wh: tuple[int, int], rng: np.random.Generator) -> Foreground:
    """A box with a low hedge that hides legs."""
    width, height = size_wh
    window = slice(int(0.6 * height), int(0.93 * height)), slice(int(0.08 * width), int(0.33 * width))
    ys, xs = np.mgrid[window].astype(np.float32)
    left, right, top, bottom = 0.11 * width, 0.3 * width, 0.7 * height, 0.9 * height
    leaves = (_clouds(size_wh, rng, 60) + 0.5 * _clouds(size_wh, rng, 110))[window]
    box = rgb([122, 106, 92]) - 40 * ((ys - top) / (bottom - top) - 0.3)[..., None]
    box -= 30 * ((xs - left) / (right - left) - 0.4)[..., None]
    inside = np.minimum(np.minimum(xs - left, right - xs), np.minimum(ys - top, bottom - ys))
    hedge = np.clip((1.2 - np.abs(ys - top) / (0.055 * height) - 0.35 * leaves) * 4, 0, 1)
    hedge *= np.clip(np.minimum(xs - left + 6, right + 6 - xs) / 5 - 0.5 * np.abs(leaves), 0, 1)
    green = rgb([64, 92, 48]) + 26 * leaves[..., None] - 60 * ((ys - top) / height)[..., None]
    color = box + hedge[..., None] * (green - box)
    return Foreground(window, np.clip(color, 0, 255), np.maximum(np.clip(inside + 0.5, 0, 1), hedge))
