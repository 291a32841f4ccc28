"""The assignment without SciPy is SciPy's, ties included."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ppdet.geometry.assignment import assign, assign_in_numpy

optimize = pytest.importorskip("scipy.optimize")


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 25), st.integers(1, 25), st.sampled_from(["real", "ties", "tags", "constant"]), st.integers(0, 2**31))
def test_same_assignment_as_scipy(rows: int, columns: int, kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    cost = rng.random((rows, columns))
    if kind == "ties":
        cost = np.rint(cost * 3)
    elif kind == "constant":
        cost = np.full_like(cost, 2.0)
    elif kind == "tags":  # as bottom-up grouping makes them: rounded distances less a score, equal columns for new people
        cost = np.rint(cost * 3) * 100 - rng.random((rows, 1))
        cost[:, columns // 2 :] = 1e10
    expected = optimize.linear_sum_assignment(cost)
    np.testing.assert_array_equal(assign_in_numpy(cost), expected)
    np.testing.assert_array_equal(assign(cost), expected)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_costs_must_be_finite(bad: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        assign_in_numpy(np.array([[1.0, bad], [2.0, 3.0]]))


def test_works_without_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ppdet.geometry.assignment.scipy_is_installed", lambda: False)
    monkeypatch.delitem(sys.modules, "scipy.optimize")
    assert [each.tolist() for each in assign(np.array([[1.0, 0.0, 3.0], [0.0, 2.0, 3.0]]))] == [[0, 1], [1, 0]]
    assert [each.tolist() for each in assign(np.zeros((0, 3)))] == [[], []]


def test_scipy_is_imported_only_when_there_is_much_to_assign() -> None:
    program = """
import sys
import numpy as np
from ppdet.geometry import assignment
cost = np.random.default_rng(0).random((10, 20))
first = assignment.assign(cost)
imported = ["scipy.optimize" in sys.modules]
for _ in range(assignment.ROWS_BEFORE_SCIPY // 10):
    last = assignment.assign(cost)
imported.append("scipy.optimize" in sys.modules)
assert imported == [False, True], imported
assert all(map(np.array_equal, first, last))
"""
    subprocess.run([sys.executable, "-c", program], check=True)
