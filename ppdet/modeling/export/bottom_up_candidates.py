"""Candidate search inside the graph. `ppdet.codecs.bottom_up_candidates.Candidates` describes the outputs.

Legend: B batch, K keypoints, H W map pixels, M candidates per keypoint, T tag dimensions, c pixels of a refine cell's side, Hc Wc
refine cells (H / c, W / c).
"""

from __future__ import annotations

from typing import Tuple

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppdet.core.errors import ExportError

NMS_KERNEL = 5
STEP = 0.25


class BottomUpCandidates(nn.Layer):
    """The highest local maxima of each keypoint's map and, with `refine`, the best pixel of each cell.

    Args:
        max_people: M.
        refine: also return the cells, in which a person's missing keypoints are searched.
        refine_cell: c; 1 searches every pixel, as the authors do. It must divide the sides of the maps.

    Raises:
        ExportError: a number below 1.
    """

    def __init__(self, max_people: int = 30, refine: bool = True, refine_cell: int = 4) -> None:
        super().__init__()
        if min(max_people, refine_cell) < 1:
            raise ExportError(f"max_people is {max_people} and refine_cell {refine_cell}; both are 1 or more")
        self.max_people, self.refine, self.refine_cell = max_people, refine, refine_cell

    def forward(self, heat: paddle.Tensor, tags: paddle.Tensor) -> Tuple[paddle.Tensor, ...]:
        """Maps (B, K, H, W) and their tags (B, K, H, W, T) to arrays as described in `Candidates`, with a batch axis in front.

        Returns:
            score (B, K, M), xy and offset (B, K, M, 2), tag (B, K, M, T) and, with `refine`, cell_score (B, K, Hc, Wc),
            cell_xy (B, K, Hc, Wc, 2), cell_tag (B, K, Hc, Wc, T); float32.
        """
        flat_tags = tags.flatten(2, 3)
        peaks = F.max_pool2d(heat, NMS_KERNEL, stride=1, padding=NMS_KERNEL // 2)
        maxima = paddle.where(heat == peaks, heat, paddle.zeros_like(heat)).flatten(2)
        score, places = paddle.topk(maxima, self.max_people, axis=2)
        score = score + 0.0 * heat.mean(axis=[2, 3]).unsqueeze(-1)  # NaN in a map gives NaN scores, not an empty result
        x, y = _xy(heat, places)
        found = (score, _stacked(x, y), _offset(heat, x, y), _at(flat_tags, places))
        return (*found, *self._cells(heat, flat_tags)) if self.refine else found

    def _cells(self, heat: paddle.Tensor, flat_tags: paddle.Tensor) -> Tuple[paddle.Tensor, ...]:
        """Best pixel of each cell, without `arange` and `reshape` to run-time sizes, which OpenVINO before 2026 cannot read
        from paddle2onnx's files."""
        side = self.refine_cell
        blocks = paddle.stack([heat[:, :, i::side, j::side] for i in range(side) for j in range(side)], axis=-1)
        score, inner = blocks.max(axis=4), blocks.argmax(axis=4)
        ones = paddle.ones_like(inner)
        y = ((ones.cumsum(axis=2) - 1) * side + inner // side).flatten(2)
        x = ((ones.cumsum(axis=3) - 1) * side + inner % side).flatten(2)
        tag = _at(flat_tags, y * paddle.shape(heat)[3].astype("int64") + x)
        xy = _stacked(x, y) + _offset(heat, x, y)
        return score, _over_cells(xy, score), _over_cells(tag, score)


def _over_cells(values: paddle.Tensor, cells: paddle.Tensor) -> paddle.Tensor:
    """(B, K, Hc Wc, T) -> (B, K, Hc, Wc, T), Hc and Wc being those of `cells`."""
    last = paddle.to_tensor([values.shape[3]], dtype="int32")
    return values.reshape(paddle.concat([paddle.shape(cells).astype("int32"), last]))


def _xy(heat: paddle.Tensor, places: paddle.Tensor) -> Tuple[paddle.Tensor, paddle.Tensor]:
    """Positions in flattened maps to columns and rows."""
    width = paddle.shape(heat)[3].astype("int64")
    return places % width, places // width


def _stacked(x: paddle.Tensor, y: paddle.Tensor) -> paddle.Tensor:
    return paddle.stack([x, y], axis=-1).astype("float32")


def _offset(heat: paddle.Tensor, x: paddle.Tensor, y: paddle.Tensor) -> paddle.Tensor:
    """(..., 2) offset of a quarter pixel towards the higher neighbour; outside of the map the border is repeated."""
    shape = paddle.shape(heat).astype("int64")
    height, width = shape[2], shape[3]
    flat, zero = heat.flatten(2).unsqueeze(-1), paddle.zeros_like(x)
    right, left = paddle.minimum(x + 1, zero + width - 1), paddle.maximum(x - 1, zero)
    lower, upper = paddle.minimum(y + 1, zero + height - 1), paddle.maximum(y - 1, zero)
    along_x = _at(flat, y * width + right) > _at(flat, y * width + left)
    along_y = _at(flat, lower * width + x) > _at(flat, upper * width + x)
    return paddle.concat([along_x, along_y], axis=-1).astype("float32") * (2 * STEP) - STEP


def _at(flat: paddle.Tensor, places: paddle.Tensor) -> paddle.Tensor:
    """(B, K, H W, T) values at (B, K, N) positions: (B, K, N, T)."""
    index = paddle.tile(places.unsqueeze(-1), [1, 1, 1, flat.shape[3]])
    return paddle.take_along_axis(flat, index, axis=2, broadcast=False)
