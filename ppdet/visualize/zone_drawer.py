"""Draws zones: their outline and a line of text.

Legend: P corners, H W pixels.
"""
from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ppdet.visualize.palette import person_color
from ppdet.visualize.text_tag import draw_tag

# Share of the zone's colour inside it.
TINT = 0.12
# Far outside any image, and still inside OpenCV's range.
FARTHEST_PIXEL = 16000.0


def draw_zones(canvas: np.ndarray, polygons: Sequence[np.ndarray], labels: Sequence[str]) -> None:
    """Draw polygons, in place.

    Args:
        canvas: (H, W, 3) RGB uint8.
        polygons: (P, 2) corners in pixels each.
        labels: text of each, written at its topmost corner.
    """
    width = max(1, int(round(max(canvas.shape[:2]) / 640.0)))
    for place, (corners, label) in enumerate(zip(polygons, labels)):
        color = person_color(101 + place)
        whole = np.rint(np.clip(corners, -FARTHEST_PIXEL, FARTHEST_PIXEL)).astype(np.int32)
        _tint(canvas, whole, color)
        cv2.polylines(canvas, [whole], True, color, width, cv2.LINE_AA)
        top = whole[int(whole[:, 1].argmin())]
        draw_tag(canvas, label, (float(top[0]), float(top[1])), color)


def _tint(canvas: np.ndarray, corners: np.ndarray, color: tuple[int, int, int]) -> None:
    low = np.clip(corners.min(axis=0), 0, np.array(canvas.shape[1::-1]))
    high = np.clip(corners.max(axis=0) + 1, 0, np.array(canvas.shape[1::-1]))
    if (high <= low).any():
        return
    part = canvas[low[1]:high[1], low[0]:high[0]]
    filled = part.copy()
    cv2.fillPoly(filled, [corners - low], color)
    cv2.addWeighted(filled, TINT, part, 1 - TINT, 0, dst=filled)
    part[:] = filled
