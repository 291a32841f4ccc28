"""Maps to candidates in NumPy, as exported graphs do it.

Legend: K keypoints, M candidates per keypoint, T tag dimensions, H W pixels, Hc Wc refine cells.
"""

from __future__ import annotations

from typing import Optional

import cv2
import numpy as np

from ppdet.codecs.bottom_up_candidates import Candidates
from ppdet.core.errors import DataError
from ppdet.skeletons import Skeleton

#: A candidate is the maximum of a square window of this side in pixels.
NMS_KERNEL = 5


def candidates_of_maps(heat: np.ndarray, tags: np.ndarray, max_people: int, refine_cell: Optional[int]) -> Candidates:
    """Candidates of one image.

    Args:
        heat: (K, H, W) at input size.
        tags: (K, H, W, T).
        max_people: M.
        refine_cell: side of the blocks whose maximum is kept; None for no refine cells.

    Raises:
        DataError: the shapes contradict each other or are not multiples of the cells, or values are not finite.
    """
    heat, tags = np.asarray(heat, np.float32), np.asarray(tags, np.float32)
    if heat.ndim != 3 or tags.ndim != 4 or tags.shape[:3] != heat.shape:
        raise DataError(f"candidates: expected heat (K, H, W) and tags (K, H, W, T), given {heat.shape} and {tags.shape}")
    if not (np.isfinite(heat).all() and np.isfinite(tags).all()):
        raise DataError("maps hold NaN or infinite values: most likely the model's weights are broken (training diverged, or the "
                        "file is damaged), or half precision overflowed; nothing was decoded")
    index, score = _top_peaks(heat, max_people)
    xy, offset, tag = _look_up(heat, tags, index)
    if refine_cell is None:
        return Candidates(score, xy, offset, tag)
    best = _cell_peaks(heat, refine_cell)
    cell_score = np.take_along_axis(heat.reshape(len(heat), -1), best.reshape(len(heat), -1), 1).reshape(best.shape)
    cell_xy, cell_offset, cell_tag = _look_up(heat, tags, best)
    return Candidates(score, xy, offset, tag, cell_score, cell_xy + cell_offset, cell_tag)


def _top_peaks(heat: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(K, M) flat pixels and values of the highest positive local maxima; equals in reading order; rows are filled with 0."""
    window = np.ones((NMS_KERNEL, NMS_KERNEL), np.uint8)
    index, score = np.zeros((len(heat), count), np.int64), np.zeros((len(heat), count), np.float32)
    for k, values in enumerate(heat):
        peaks = np.flatnonzero((cv2.dilate(values, window) == values) & (values > 0))
        peaks = peaks[np.argsort(-values.ravel()[peaks], kind="stable")[:count]]
        index[k, : len(peaks)] = peaks
        score[k, : len(peaks)] = values.ravel()[peaks]
    return index, score


def _cell_peaks(heat: np.ndarray, cell: int) -> np.ndarray:
    """(K, Hc, Wc) flat pixel of the maximum of each cell x cell block."""
    K, H, W = heat.shape
    if H % cell or W % cell:
        raise DataError(f"candidates: maps of {W} x {H} pixels do not divide into refine cells of {cell}; the codec's frames do")
    blocks = heat.reshape(K, H // cell, cell, W // cell, cell).transpose(0, 1, 3, 2, 4).reshape(K, H // cell, W // cell, -1)
    within = blocks.argmax(-1)
    rows = np.arange(0, H, cell)[:, None] + within // cell
    return rows * W + np.arange(0, W, cell) + within % cell


def _look_up(heat: np.ndarray, tags: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """xy and quarter offset (K, ..., 2) and tags (K, ..., T) at flat pixels (K, ...)."""
    K, H, W = heat.shape
    k = np.arange(K).reshape(-1, *[1] * (index.ndim - 1))
    y, x = index // W, index % W
    right = heat[k, y, np.minimum(x + 1, W - 1)] > heat[k, y, np.maximum(x - 1, 0)]
    down = heat[k, np.minimum(y + 1, H - 1), x] > heat[k, np.maximum(y - 1, 0), x]
    offset = np.where(np.stack([right, down], -1), np.float32(0.25), np.float32(-0.25))
    return np.stack([x, y], -1).astype(np.float32), offset, tags[k, y, x]


def flip_merged(
    outputs: tuple[np.ndarray, np.ndarray], outputs_of_mirrored: tuple[np.ndarray, np.ndarray], skeleton: Skeleton
) -> tuple[np.ndarray, np.ndarray]:
    """Mean heat and side-by-side tags of an image and its mirror image, whose maps are mirrored back.

    Args:
        outputs: heat (..., K, H, W) and tags (..., K, H, W, T).
        outputs_of_mirrored: the same shapes.
        skeleton: knows which keypoints change places.

    Raises:
        DataError: the shapes differ.
    """
    (heat, tags), (heat_of_mirrored, tags_of_mirrored) = outputs, outputs_of_mirrored
    if heat.shape != heat_of_mirrored.shape or tags.shape != tags_of_mirrored.shape:
        raise DataError(f"flip: maps {heat.shape} and {tags.shape} of the image, but {heat_of_mirrored.shape} and "
                        f"{tags_of_mirrored.shape} of its mirror image")
    order = skeleton.flip_permutation
    heat_back = heat_of_mirrored[..., order, :, ::-1]
    tags_back = tags_of_mirrored[..., order, :, ::-1, :]
    return (heat + heat_back) / 2, np.concatenate([tags, tags_back], axis=-1)
