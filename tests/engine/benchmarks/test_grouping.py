"""`tools/benchmark.py group`: what it prints, and what it says without the tests. Nothing here looks at a clock."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppdet.core.errors import ConfigError, PpdetError
from ppdet.engine.benchmarks import grouping


def test_a_row_for_each_group() -> None:
    rows = list(grouping.group_rows([1, 3], repeats=1))
    assert [row[0] for row in rows] == ["1", "3"]
    assert all(len(row) == len(grouping.HEADER) for row in rows)
    assert all(float(cell) > 0 for row in rows for cell in row[1:3])


@pytest.mark.parametrize(("people", "repeats"), [([-3], 1), ([5, 0], 1), ([5], 0)])
def test_nobody_cannot_be_timed(people: list[int], repeats: int) -> None:
    with pytest.raises(ConfigError, match="from 1 on"):
        next(grouping.group_rows(people, repeats))


def test_without_the_tests_it_says_where_they_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(grouping, "TESTS", tmp_path)
    with pytest.raises(PpdetError, match="plain_grouping.py.*clone"):
        next(grouping.group_rows([1]))
