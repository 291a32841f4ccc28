"""Search for a person's missing keypoints by the person's mean tag.

Legend: P people, K keypoints, T tag dimensions, C refine cells of one keypoint.
"""

from __future__ import annotations

import numpy as np

from ppdet.codecs.bottom_up_candidates import Candidates
from ppdet.codecs.tag_grouping import tag_distance

#: Fractions of the cells that are searched in turn, highest heat first. Usually the best cell is among the first few percent.
_SHARES = (0.03, 0.15)
#: Every 16th cell is sampled to estimate the heat levels of these fractions.
_SAMPLE = 16


def search_missing(
    candidates: Candidates, mean_tag: np.ndarray, xy: np.ndarray, scores: np.ndarray, paddledet_exact: bool
) -> None:
    """Fill in the keypoints of score 0, in place.

    The cell with the highest ``heat - round(tag distance)`` is taken if its heat is positive; the heat becomes the score (the
    authors). With ``paddledet_exact`` the difference must be positive and becomes the score.

    Args:
        candidates: with the cell fields.
        mean_tag: (P, T).
        xy: (P, K, 2) float32 input pixels.
        scores: (P, K) float32.
        paddledet_exact: see above.
    """
    assert candidates.cell_score is not None and candidates.cell_xy is not None and candidates.cell_tag is not None
    means = mean_tag.astype(np.float32)
    for joint in range(candidates.num_keypoints):
        people = np.flatnonzero(scores[:, joint] == 0)
        if not len(people):
            continue
        heat = candidates.cell_score[joint].ravel()
        cell, value = best_cells(heat, candidates.cell_tag[joint].reshape(len(heat), -1), means[people])
        score = value if paddledet_exact else heat[cell]
        found = score > 0
        where = candidates.cell_xy[joint].reshape(-1, 2)[cell[found]]
        xy[people[found], joint] = where + np.float32(0.5)
        scores[people[found], joint] = score[found]


def best_cells(heat: np.ndarray, tags: np.ndarray, means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cell with the highest ``heat - round(tag distance)`` for each person; the first of equals.

    The result is exact although few cells are searched: the value never exceeds the heat, so once it is above a level, cells
    with less heat than that level cannot be better.

    Args:
        heat: (C,) float32.
        tags: (C, T) float32.
        means: (P, T) float32.

    Returns:
        cell (P,) int64 and value (P,) float32.
    """
    best, value = np.zeros(len(means), np.int64), np.full(len(means), -np.inf, np.float32)
    columns = np.ascontiguousarray(tags.T)
    sample = np.sort(heat[::_SAMPLE])
    open_ = np.arange(len(means))
    for share in (*_SHARES, 1.0):
        level = sample[-1 - int(share * len(sample))] if share < 1 else -np.inf
        cells = np.flatnonzero(heat > level) if share < 1 else np.arange(len(heat))
        if len(cells):
            values = tag_distance(means[open_], columns.take(cells, axis=1) if share < 1 else columns)
            np.subtract(heat.take(cells), np.rint(values, out=values), out=values)
            first = values.argmax(1)
            best[open_] = cells[first]
            value[open_] = values[np.arange(len(open_)), first]
            open_ = open_[value[open_] <= level]
        if not len(open_):
            break
    return best, value
