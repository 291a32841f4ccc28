"""Values of a wrong type are found before anything is built."""

from __future__ import annotations

import pathlib
import sys
from typing import Any, Optional, Sequence, Union

import pytest

from ppdet.core.config.builder import Builder
from ppdet.core.config.registry import Registry
from ppdet.core.config.schema import check_arguments, schema_of
from ppdet.core.config.value_check import complaint, plain_annotations
from ppdet.core.config.yaml_loader import parse_yaml
from ppdet.core.errors import ConfigError


def function(
    flag: bool,
    count: int = 1,
    rate: float = 0.1,
    name: Optional[str] = None,
    file: Union[str, pathlib.Path] = "",
    size: Optional[Sequence[int]] = None,
    either: Union[bool, str] = "auto",
    free: Any = None,
    untyped=None,
) -> None:
    pass


def test_only_plain_annotations_are_judged():
    allowed = plain_annotations(function)
    assert allowed["flag"] == (bool,) and set(allowed["name"]) == {str, type(None)} and allowed["file"] == (str,)
    assert set(allowed) >= {"flag", "count", "rate", "name", "file", "either"}
    assert not {"size", "free", "untyped"} & set(allowed)


def test_annotations_that_cannot_be_evaluated_are_left_alone():
    def later(x: NoSuchName) -> None:  # noqa: F821
        pass

    assert plain_annotations(later) == {}


@pytest.mark.skipif(sys.version_info < (3, 10), reason="X | Y cannot be evaluated before Python 3.10")
def test_new_unions():
    def new(x: str | None, y: int | pathlib.Path) -> None:
        pass

    assert plain_annotations(new)["x"] == (str, type(None)) and plain_annotations(new)["y"] == (int, str)


@pytest.mark.parametrize(
    ("value", "allowed", "fits"),
    [
        (True, (bool,), True),
        (0, (bool,), True),
        (1, (bool,), True),
        (2, (bool,), False),
        (1.0, (bool,), False),
        ("Flase", (bool,), False),
        ([], (bool,), False),
        (3, (int,), True),
        (True, (int,), False),
        (3.0, (int,), False),
        (3, (float,), True),
        ("1e", (float,), False),
        (True, (float,), False),
        ("x", (str,), True),
        (3, (str,), False),
        (None, (str,), False),
        (None, (str, type(None)), True),
        ({}, (int, float), False),
    ],
)
def test_what_fits(value, allowed, fits):
    assert (complaint(value, allowed) is None) == fits


def test_words_of_a_complaint():
    assert complaint("Flase", (bool, type(None))) == "expects true or false or null, not 'Flase'"


def test_wrong_values_and_wrong_names_are_reported_together():
    class Part:
        def __init__(self, flag: bool = True, count: int = 1, body: str = "x"):
            pass

        __inject__ = ["body"]

    section = parse_yaml("flag: Flase\ncuont: 2\nbody: {name: Y}\ncount: !Spec {}\n", "f")
    found = [(p.mark.line, p.message) for p in check_arguments(schema_of(Part), section)]
    assert found == [
        (1, "Part.flag expects true or false, not 'Flase'"),
        (2, "Part has no argument 'cuont'; did you mean 'count'?"),
    ]


def test_the_builder_refuses_them():
    registry = Registry()

    @registry.add
    class Part:
        def __init__(self, flag: bool = True):
            pass

    with pytest.raises(ConfigError, match="f:1: Part.flag expects true or false"):
        Builder(parse_yaml("Part: {flag: Flase}", "f"), registry=registry).build("Part")
