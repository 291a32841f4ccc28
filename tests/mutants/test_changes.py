"""Each change is one change, and code that is not run is left alone."""

from __future__ import annotations

import ast

from mutants.changes import count, mutant

SOURCE = '''
"""A docstring with 1 + 1."""
from x import y


def f(a: int = 2) -> "Literal[3]":
    """Another < one."""
    if a < 4 and not y:
        raise ValueError(f"{a + 5}")
    a -= min(a, 1)
    return -a
'''


def test_changes() -> None:
    every = [mutant(SOURCE, number) for number in range(count(SOURCE))]
    found = {(line, change) for line, change, _ in every}
    assert found == {
        (6, "2 -> 3"), (8, "a < 4 -> a <= 4"), (8, "4 -> 5"), (8, "a < 4 and (not y) -> a < 4 or not y"),
        (10, "a -= min(a, 1) -> a += min(a, 1)"), (10, "min -> max"), (10, "1 -> 2"), (11, "-a -> +a"),
    }  # fmt: skip
    sources = [source for _, _, source in every]
    assert len(set(sources)) == len(found) and ast.unparse(ast.parse(SOURCE)) not in sources
