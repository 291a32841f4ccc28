"""Assignment of least total cost, by SciPy if it is installed, else in NumPy with the same result.

SciPy is 143 MB of disk for this one function, so machines that only run models do without it. `lapx` (15 MB) was tried instead:
it solved 4000 random matrices, but broke ties differently in 2463, which changes the groups of a bottom-up model; it took 1.5 to
50 times as long as SciPy (100 x 200, 5 x 10); and it returns an answer for costs of infinity and NaN.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec

import numpy as np

# Importing `scipy.optimize` takes .4 s, as long as about so many rows take in NumPy. It is imported once so many have been
# assigned, so a short video does not wait for it, and no program takes more than twice the time of the better choice.
ROWS_BEFORE_SCIPY = 4000
_rows_in_numpy = 0


def assign(cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and the columns they are assigned to, at the least total cost.

    Args:
        cost: (R, C), finite.

    Returns:
        min(R, C) rows in ascending order, and their columns; ties are broken as in SciPy.

    Raises:
        ValueError: a cost is not finite.
    """
    global _rows_in_numpy
    if "scipy.optimize" in sys.modules or _rows_in_numpy >= ROWS_BEFORE_SCIPY and scipy_is_installed():
        from scipy.optimize import linear_sum_assignment

        rows, columns = linear_sum_assignment(cost)
        return rows, columns
    _rows_in_numpy += min(np.shape(cost))
    return assign_in_numpy(cost)


@lru_cache(maxsize=1)
def scipy_is_installed() -> bool:
    """Whether SciPy can be found; it is not imported."""
    return find_spec("scipy") is not None


def prepare() -> None:
    """Import SciPy now, if it is installed: for those who know that they will assign many rows, and that nobody waits yet."""
    if scipy_is_installed():
        import_module("scipy.optimize")


def assign_in_numpy(cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same as `assign`, without SciPy: shortest augmenting paths, one per row.

    Crouse, On implementing 2D rectangular assignment algorithms, IEEE Transactions on Aerospace and Electronic Systems 52 (2016).
    Takes .7 ms for 5 x 10 and 4 ms for 30 x 60, once per keypoint, beside a second for a bottom-up network on a CPU.
    """
    cost = np.asarray(cost, np.float64)
    if not np.isfinite(cost).all():
        raise ValueError("the costs of an assignment must be finite")
    if cost.shape[0] > cost.shape[1]:
        columns, rows = assign_in_numpy(cost.T)
        order = np.argsort(rows, kind="stable")
        return rows[order], columns[order]
    count, width = cost.shape
    row_price, column_price = np.zeros(count), np.zeros(width)
    column_of, row_of = np.full(count, -1), np.full(width, -1)
    for row in range(count):
        _augment(cost, row, row_price, column_price, column_of, row_of)
    return np.arange(count), column_of


def _augment(
    cost: np.ndarray, start: int, row_price: np.ndarray, column_price: np.ndarray, column_of: np.ndarray, row_of: np.ndarray
) -> None:
    """Give row `start` a column along the cheapest path of reassignments, and update the prices; all in place."""
    width = cost.shape[1]
    shortest, came_from = np.full(width, np.inf), np.full(width, -1)
    # In this order, and with the rule below, a constant matrix gets the identity, as in SciPy.
    open_ = np.arange(width - 1, -1, -1)
    rows, columns, row, lowest = [], [], start, 0.0
    while True:
        rows.append(row)
        reduced = lowest + cost[row, open_] - row_price[row] - column_price[open_]
        better = reduced < shortest[open_]
        shortest[open_[better]], came_from[open_[better]] = reduced[better], row
        distances = shortest[open_]
        lowest = distances.min()
        ties = np.flatnonzero(distances == lowest)
        free = ties[row_of[open_[ties]] < 0]  # a free column ends the path
        place = free[-1] if len(free) else ties[0]
        column = open_[place]
        columns.append(column)
        if len(free):
            break
        row = row_of[column]
        open_[place] = open_[-1]
        open_ = open_[:-1]
    row_price[start] += lowest
    others = rows[1:]
    row_price[others] += lowest - shortest[column_of[others]]
    column_price[columns] -= lowest - shortest[columns]
    while True:
        row = came_from[column]
        row_of[column] = row
        column_of[row], column = column, column_of[row]
        if row == start:
            return
