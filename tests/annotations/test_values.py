"""Single values of annotation files: what they mean, however they are written."""

from __future__ import annotations

import pytest

from ppdet.annotations.values import IdIndex, as_flag, as_id, as_number, kinds_of


@pytest.mark.parametrize(
    ("value", "number"),
    [(3, 3), (1.5, 1.5), ("1199.48", 1199.48), (" 7 ", 7), ("1e3", 1000), (True, None), (None, None), ("", None), ("nan", None),
     (float("inf"), None), (10**400, None), ("9" * 5000, None), ([1], None)],
)  # fmt: skip
def test_numbers(value: object, number: object) -> None:
    assert as_number(value) == number


@pytest.mark.parametrize(
    ("value", "flag"),
    [(0, 0), (1, 1), ("0", 0), ("1", 1), (False, 0), (True, 1), (None, 0), ("false", 0), ("True", 1), (1.0, 1), ("x", None),
     ([], None)],
)  # fmt: skip
def test_flags(value: object, flag: object) -> None:
    assert as_flag(value) == flag


def test_ids_match_by_value_and_exactly_first() -> None:
    index = IdIndex([17, "img_3", "0042", 2**70])
    assert [index.find(each) for each in (17, "17", 17.0, "017", "17.0")] == [17] * 5
    assert index.find(42) == index.find("42") == "0042"
    assert index.find(str(2**70)) == 2**70 and index.find("img_3") == "img_3"
    assert [index.find(each) for each in (True, None, [17], 17.5, "img_4", float("nan"))] == [None] * 6
    both = IdIndex(["017", "17"])
    assert both.find("017") == "017" and both.find("17") == "17" and both.find(17) is None


def test_an_id_is_a_whole_number_or_a_string() -> None:
    assert [as_id(each) for each in (3, 3.0, "3", 3.5, float("inf"), True, None, {})] == [3, 3, "3", None, None, None, None, None]
    assert kinds_of([1, "a", "b", None]) == "numbers such as 1 and strings such as 'a' and values that are no ids such as None"
