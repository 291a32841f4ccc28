"""Older names of arguments: which of two values counts."""

from __future__ import annotations

from typing import Any

import pytest

from ppdet.core.config.nodes import ConfigDict, Spec
from ppdet.core.config.schema import check_arguments, schema_of
from ppdet.core.errors import ConfigError
from ppdet.core.problem import Mark

FILES = ["base.yml", "leaf.yml"]


class Part:
    """Its arguments were called `size` and `factor` in older configs."""

    __renamed__ = {"size": "input_wh", "factor": "ratio"}

    def __init__(self, input_wh: list, ratio: float = 2.0) -> None:
        pass


def section(**entries: tuple[Any, str, int]) -> ConfigDict:
    """Key to (value, file, line)."""
    result = ConfigDict()
    for key, (value, file, line) in entries.items():
        result[key] = value
        result.key_marks[key] = Mark(file, line)
    return result


def test_an_older_name_becomes_the_new_one_with_its_place() -> None:
    given = section(size=([1, 2], "leaf.yml", 3), ratio=(1.0, "leaf.yml", 4))
    found = schema_of(Part).with_new_names(given, FILES)
    assert found == {"input_wh": [1, 2], "ratio": 1.0} and found.mark_of("input_wh") == Mark("leaf.yml", 3)
    assert given == {"size": [1, 2], "ratio": 1.0}  # nodes are never changed


def test_without_an_older_name_nothing_is_copied() -> None:
    given = section(input_wh=([1, 2], "leaf.yml", 3))
    assert schema_of(Part).with_new_names(given, FILES) is given


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        (("base.yml", 9), ("leaf.yml", 1), "new"),
        (("leaf.yml", 1), ("base.yml", 9), "old"),
        (("-o P.size=1", 0), ("leaf.yml", 1), "old"),
        (("leaf.yml", 1), ("-o P.input_wh=1", 0), "new"),
        (("elsewhere.yml", 1), ("leaf.yml", 1), "old"),  # a file that is included last
    ],
)
def test_the_one_written_later_counts(old: tuple, new: tuple, counts: str) -> None:
    given = section(size=("old", *old), input_wh=("new", *new))
    assert schema_of(Part).with_new_names(given, FILES) == {"input_wh": counts}


def test_both_in_one_file_must_agree() -> None:
    same = section(size=([1, 2], "leaf.yml", 1), input_wh=([1, 2], "leaf.yml", 2))
    assert schema_of(Part).with_new_names(same, FILES) == {"input_wh": [1, 2]}
    differing = section(size=([1, 2], "leaf.yml", 1), input_wh=([3, 2], "leaf.yml", 2))
    with pytest.raises(ConfigError, match="leaf.yml:1: Part.size is the older name of input_wh, and the two differ"):
        schema_of(Part).with_new_names(differing, FILES)


def test_without_places_the_two_must_agree() -> None:
    unmarked = ConfigDict()
    unmarked.update(size=[1], input_wh=[2])
    with pytest.raises(ConfigError, match="the two differ; leave size out"):
        schema_of(Part).with_new_names(unmarked)


def test_values_under_an_older_name_are_checked_like_the_others() -> None:
    (problem,) = check_arguments(schema_of(Part), section(factor=("much", "leaf.yml", 7)))
    assert problem.message == "Part.ratio expects a number, not 'much'" and problem.mark == Mark("leaf.yml", 7)
    assert check_arguments(schema_of(Part), section(factor=(Spec(tag="Other"), "leaf.yml", 7))) == []
