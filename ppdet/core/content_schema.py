"""A small declarative checker for plain content: what mappings, lists and values a file may hold.

A rule is called with a value and the name of its place, and yields a sentence per problem::

    RULE = mapping({"name": text(), "size": list_of(whole(1), length=2)}, required=("name",))
    problems = list(RULE({"size": [0]}, "card"))
    # card.name is missing; card.size has 1 item, expected 2; card.size[0] is 0, expected a whole number from 1 on

Written for this toolkit instead of taken from a library because a deployed machine should need nothing beyond NumPy, OpenCV and
YAML, and because a message has to name the place and what was expected in plain words.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Callable, Optional

from ppdet.core.problem import short_repr

Rule = Callable[[Any, str], Iterator[str]]


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_finite(value: Any) -> bool:
    try:
        return (_is_whole(value) or isinstance(value, float)) and math.isfinite(value)
    except OverflowError:  # an integer beyond the range of floats
        return False


def _unless(fits: Callable[[Any], bool], expected: str) -> Rule:
    def rule(value: Any, place: str) -> Iterator[str]:
        if not fits(value):
            yield f"{place} is {short_repr(value)}, expected {expected}"

    return rule


def anything() -> Rule:
    """No condition."""
    return _unless(lambda value: True, "")


def null() -> Rule:
    """Null alone; useful in `either`."""
    return _unless(lambda value: value is None, "null")


def switch() -> Rule:
    """True or false; 0 and 1 count, too."""
    return _unless(lambda value: isinstance(value, (bool, int)) and value in (0, 1), "true or false")


def text(max_length: int = 1000) -> Rule:
    """A string that is not empty."""
    return _unless(lambda value: isinstance(value, str) and 0 < len(value) <= max_length, "a text")


def one_of(*choices: Any) -> Rule:
    """One of some values."""
    expected = " or ".join(map(repr, choices))
    return _unless(lambda value: any(type(value) is type(choice) and value == choice for choice in choices), expected)


def whole(low: Optional[int] = None, high: Optional[int] = None) -> Rule:
    """A whole number within limits, both included."""
    return _number(_is_whole, "a whole number", low, high)


def number(low: Optional[float] = None, high: Optional[float] = None) -> Rule:
    """A finite number within limits, both included."""
    return _number(_is_finite, "a number", low, high)


def _number(kind: Callable[[Any], bool], noun: str, low: Optional[float], high: Optional[float]) -> Rule:
    limits = [f"from {low:g} on"] if low is not None else []
    if high is not None:
        limits = [f"from {low:g} to {high:g}"] if low is not None else [f"up to {high:g}"]

    def fits(value: Any) -> bool:
        return kind(value) and (low is None or value >= low) and (high is None or value <= high)

    return _unless(fits, " ".join([noun, *limits]))


def list_of(item: Rule, length: Optional[int] = None, least: int = 0, most: int = 100_000) -> Rule:
    """A list whose items all follow a rule; `length` is exact, `least` and `most` are limits."""

    def rule(value: Any, place: str) -> Iterator[str]:
        if not isinstance(value, (list, tuple)):
            yield f"{place} is {short_repr(value)}, expected a list"
            return
        if length is not None and len(value) != length:
            yield f"{place} has {len(value)} items, expected {length}"
        if not least <= len(value) <= most:
            yield f"{place} has {len(value)} items, expected {least} to {most}"
            return
        for index, entry in enumerate(value):
            yield from item(entry, f"{place}[{index}]")

    return rule


def mapping(
    keys: Mapping[str, Rule], required: Sequence[str] = (), others: Optional[Rule] = None, only_known: bool = False
) -> Rule:
    """A mapping with text keys.

    Args:
        keys: the rule of each known key.
        required: keys that must be there.
        others: rule of the values of all further keys; None lets them pass.
        only_known: refuse further keys.
    """

    def rule(value: Any, place: str) -> Iterator[str]:
        if not isinstance(value, Mapping):
            yield f"{place} is {short_repr(value)}, expected a mapping"
            return
        for key in required:
            if key not in value:
                yield f"{place}.{key} is missing"
        for key, entry in value.items():
            if not isinstance(key, str):
                yield f"{place} has the key {short_repr(key)}, expected a text"
            elif key in keys:
                yield from keys[key](entry, f"{place}.{key}")
            elif only_known:
                yield f"{place} has the unknown key {short_repr(key)}; known are {', '.join(keys)}"
            elif others is not None:
                yield from others(entry, f"{place}.{key}")

    return rule


def numbered(item: Rule, high: int = 100_000) -> Rule:
    """A mapping whose keys are whole numbers from 0 to `high`, as numbers or as text."""

    def rule(value: Any, place: str) -> Iterator[str]:
        if not isinstance(value, Mapping):
            yield f"{place} is {short_repr(value)}, expected a mapping"
            return
        for key, entry in value.items():
            digits = str(key) if _is_whole(key) or isinstance(key, str) else ""
            if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(high)) and int(digits) <= high):
                yield f"{place} has the key {short_repr(key)}, expected a whole number from 0 to {high}"
            else:
                yield from item(entry, f"{place}[{digits}]")

    return rule


def either(*rules: Rule) -> Rule:
    """At least one of the rules. The problems of the last one are told, so the most telling rule comes last."""

    def rule(value: Any, place: str) -> Iterator[str]:
        problems: list[str] = []
        for each in rules:
            problems = list(each(value, place))
            if not problems:
                return
        yield from problems

    return rule


def optional(rule: Rule) -> Rule:
    """The rule, or null."""
    return either(null(), rule)


def summary(problems: Iterator[str], most: int = 5) -> str:
    """The first problems in one line; empty if there are none."""
    found = list(problems)
    more = f"; and {len(found) - most} more" if len(found) > most else ""
    return "; ".join(found[:most]) + more
