"""The checker names the place, what stands there and what was expected."""

from __future__ import annotations

import pytest

from ppdet.core.content_schema import either, list_of, mapping, null, number, one_of, optional, summary, switch, text, whole

RULE = mapping(
    {
        "name": text(),
        "size": list_of(whole(1), length=2),
        "scale": optional(number(0, 1)),
        "kind": one_of("a", "b"),
        "on": switch(),
    },
    required=("name",),
    only_known=True,
)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"name": "x", "size": [1, 2], "scale": None, "kind": "a", "on": 1}, ""),
        ({}, "it.name is missing"),
        ([], "it is [], expected a mapping"),
        ({"name": ""}, "it.name is '', expected a text"),
        ({"name": "x", "size": [1]}, "it.size has 1 items, expected 2"),
        ({"name": "x", "size": [0, True]}, "it.size[0] is 0, expected a whole number from 1 on; it.size[1] is True"),
        ({"name": "x", "scale": float("nan")}, "it.scale is nan, expected a number from 0 to 1"),
        ({"name": "x", "scale": 10**400}, "expected a number from 0 to 1"),
        ({"name": "x", "kind": "c"}, "it.kind is 'c', expected 'a' or 'b'"),
        ({"name": "x", "on": "yes"}, "it.on is 'yes', expected true or false"),
        ({"name": "x", "other": 1}, "it has the unknown key 'other'; known are name, size, scale, kind, on"),
        ({"name": "x", 3: 1}, "it has the key 3, expected a text"),
    ],
)
def test_problems(content: object, problem: str) -> None:
    found = summary(RULE(content, "it"))
    assert (found == "") if not problem else (problem in found)


def test_values_are_cut_and_problems_counted() -> None:
    assert len(summary(text()(list(range(10000)), "it"))) < 200
    assert "; and 995 more" in summary(list_of(null())([1] * 1000, "it"))
    assert summary(either(whole(), list_of(text(), least=1))([], "it")) == "it has 0 items, expected 1 to 100000"
