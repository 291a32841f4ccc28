"""Many frames in one image, to look a video over at a glance."""
from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ppdet.core.errors import DataError
from ppdet.visualize.text_tag import DARK, draw_tag

BACKGROUND = 24
TALLEST_ROW = 2.0
"""Height of a row over the width of a tile, at most: a row of upright strips would otherwise be as high as a page."""


def contact_sheet(
    frames: Sequence[np.ndarray],
    columns: int = 4,
    tile_width: int = 480,
    labels: Sequence[str] | None = None,
) -> np.ndarray:
    """Tile frames row by row. The tiles of a row have one height, chosen so that together they are as wide as the sheet.

    Args:
        frames: (H, W, 3) uint8 images, of any sizes and aspects; each is scaled with its aspect kept.
        columns: tiles per row.
        tile_width: mean width of a tile in pixels; the sheet is `columns` times as wide.
        labels: text for the lower left corner of each tile, such as the frame number.

    Returns:
        (H, W, 3) uint8 image. Only the last row may be shorter than the sheet.

    Raises:
        DataError: there is nothing to tile, or labels and frames differ in number.
    """
    if not frames:
        raise DataError("cannot make a contact sheet of no frames: pass at least one image")
    if columns < 1 or tile_width < 1:
        raise DataError(f"a contact sheet needs columns and tile_width of 1 or more, not {columns} and {tile_width}")
    if labels is not None and len(labels) != len(frames):
        raise DataError(f"a contact sheet of {len(frames)} frames was given {len(labels)} labels: pass one per frame")
    columns = min(columns, len(frames))
    rows = []
    for start in range(0, len(frames), columns):
        tiles = _row_of_tiles(frames[start : start + columns], tile_width)
        for tile, label in zip(tiles, labels[start : start + columns] if labels is not None else ()):
            _write_label(tile, label)
        rows.append(np.concatenate(tiles, axis=1))
    sheet = np.full((sum(row.shape[0] for row in rows), columns * tile_width, 3), BACKGROUND, np.uint8)
    top = 0
    for row in rows:
        sheet[top : top + row.shape[0], : row.shape[1]] = row
        top += row.shape[0]
    return sheet


def _row_of_tiles(frames: Sequence[np.ndarray], tile_width: int) -> list[np.ndarray]:
    """The frames at one height, together `tile_width` per frame wide; strips stay below twice that height."""
    aspects = np.array([frame.shape[1] / frame.shape[0] for frame in frames])
    height = len(frames) * tile_width / aspects.sum()
    if height > TALLEST_ROW * tile_width:
        height = TALLEST_ROW * tile_width
        edges = np.rint(np.cumsum(aspects * height))
    else:
        edges = np.rint(np.cumsum(aspects) / aspects.sum() * len(frames) * tile_width)
    widths = np.maximum(np.diff(np.concatenate([[0], edges])).astype(int), 1)
    if widths.sum() > len(frames) * tile_width:  # a strip of less than a pixel became one
        widths[widths.argmax()] -= widths.sum() - len(frames) * tile_width
    return [_resized(frame, int(width), max(1, int(round(height)))) for frame, width in zip(frames, widths)]


def _resized(frame: np.ndarray, width: int, height: int) -> np.ndarray:
    shrinking = width < frame.shape[1]
    return cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR)


def _write_label(tile: np.ndarray, label: str) -> None:
    # At the bottom: at the top are the names of people and boxes.
    draw_tag(tile, label, (0, tile.shape[0]), DARK, scale=min(0.5, tile.shape[1] / 400))
