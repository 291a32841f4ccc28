"""Many frames in one picture, to look a video over at a glance."""
from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ppdet.core.errors import DataError
from ppdet.visualize.text_tag import DARK, draw_tag


def contact_sheet(
    frames: Sequence[np.ndarray],
    columns: int = 4,
    tile_width: int = 480,
    labels: Sequence[str] | None = None,
) -> np.ndarray:
    """Tile frames row by row.

    Args:
        frames: (H, W, 3) uint8 images, of any sizes; each is scaled to `tile_width` with its aspect kept.
        columns: tiles in a row.
        tile_width: width of a tile in pixels.
        labels: text for the lower left corner of each tile, such as the frame number.

    Returns:
        (H, W, 3) uint8 image; tiles of a row are centred on a dark ground.

    Raises:
        DataError: there is nothing to tile, or labels and frames differ in number.
    """
    if not frames:
        raise DataError("cannot make a contact sheet of no frames: pass at least one image")
    if columns < 1 or tile_width < 1:
        raise DataError(f"a contact sheet needs columns and tile_width of 1 or more, not {columns} and {tile_width}")
    if labels is not None and len(labels) != len(frames):
        raise DataError(f"a contact sheet of {len(frames)} frames was given {len(labels)} labels: pass one for each frame")
    tiles = [_tile(frame, tile_width) for frame in frames]
    if labels is not None:
        for tile, label in zip(tiles, labels):
            _write_label(tile, label)
    height = max(tile.shape[0] for tile in tiles)
    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    sheet = np.full((rows * height, columns * tile_width, 3), 24, np.uint8)
    for index, tile in enumerate(tiles):
        row, column = divmod(index, columns)
        top = row * height + (height - tile.shape[0]) // 2
        sheet[top : top + tile.shape[0], column * tile_width : (column + 1) * tile_width] = tile
    return sheet


def _tile(frame: np.ndarray, width: int) -> np.ndarray:
    height = max(1, int(round(frame.shape[0] * width / frame.shape[1])))
    shrinking = width < frame.shape[1]
    return cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR)


def _write_label(tile: np.ndarray, label: str) -> None:
    # At the bottom: at the top are the names of people and boxes.
    draw_tag(tile, label, (0, tile.shape[0]), DARK, scale=min(0.5, tile.shape[1] / 400))
