"""Single values of annotation files: strict checks (`is_...`), and lenient reading (`as_...`) of what tools write instead.

Annotation files may hold any JSON value anywhere. Tools write numbers as strings, and ids as floats; the lenient functions accept
that, and return None for anything else.
"""

from __future__ import annotations

import math
import re
from typing import Any, Dict, Iterable, List, Optional, Union

Id = Union[int, str]

_WHOLE = re.compile(r"[+-]?\d{1,40}(\.0*)?")
_NUMBERS = {int, float}
_FLAGS = {"true": 1, "false": 0}
_INT64_LIMIT = 2**63


def is_id(value: Any) -> bool:
    """Whether a value is an id as COCO files write it: a string, or an integer of at most 64 bits."""
    if isinstance(value, bool):
        return False
    return isinstance(value, str) or (isinstance(value, int) and -_INT64_LIMIT <= value < _INT64_LIMIT)


def is_number(value: Any) -> bool:
    """Whether a value is a finite number, and not a bool or a string."""
    return isinstance(value, (int, float)) and as_number(value) is not None


def number_or_nan(value: Any) -> float:
    """The finite number, or NaN."""
    return float(value) if is_number(value) else float("nan")


def as_number(value: Any) -> Optional[float]:
    """A finite number, also one written as a string; an int stays an int."""
    kind = type(value)
    if kind is str:
        try:
            value = float(value)
        except ValueError:
            return None
    elif kind is not int and kind is not float:
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:  # an integer beyond the range of floats
        return None


def are_numbers(values: List[Any]) -> bool:
    """Whether all are finite ints or floats; cheap, and a doubtful sum counts as no."""
    if not set(map(type, values)) <= _NUMBERS:
        return False
    try:
        return math.isfinite(sum(values))
    except OverflowError:
        return False


def as_flag(value: Any) -> Optional[int]:
    """0 or 1, also as a bool, a float, a string, or the words true and false; a missing value is 0, any other is None."""
    if value is None:
        return 0
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and value.strip().lower() in _FLAGS:
        return _FLAGS[value.strip().lower()]
    number = as_number(value)
    return int(number) if number in (0, 1) else None


def as_id(value: Any) -> Optional[Id]:
    """An id as it names things: a string or an integer of any size; 17.0 (pandas writes it) is 17."""
    kind = type(value)
    if kind is int or kind is str:
        return value
    if kind is float and math.isfinite(value) and value == int(value):
        return int(value)
    return None


def visibility(value: float) -> int:
    """COCO's 0, 1 or 2 of what a file says: 1 is hidden, any other number above 0, such as a probability, is visible."""
    return 0 if value <= 0 else 1 if value == 1 else 2


def id_value(identity: Id) -> Id:
    """What two ids are compared by: the number that a string of digits stands for, else the string."""
    if isinstance(identity, str) and _WHOLE.fullmatch(identity.strip()):
        return int(identity.strip().split(".")[0])
    return identity


class IdIndex:
    """Finds the declared id that another file's or entry's id means: 17, "17", "017" and 17.0 are the same.

    An exact match comes first, so that a file that declares "017" and "17" is read right.

    Args:
        declared: ids as `as_id` returns them.
    """

    def __init__(self, declared: Iterable[Id]) -> None:
        self.declared: Dict[Id, Id] = {}
        self._by_value: Dict[Id, Optional[Id]] = {}
        for identity in declared:
            if identity in self.declared:
                continue
            self.declared[identity] = identity
            value = id_value(identity)
            self._by_value[value] = None if value in self._by_value else identity

    def find(self, value: Any) -> Optional[Id]:
        """The declared id, or None."""
        identity = value if type(value) is int else as_id(value)
        if identity is None:
            return None
        found = self.declared.get(identity)
        return self._by_value.get(id_value(identity)) if found is None else found


def kinds_of(ids: Iterable[Any]) -> str:
    """What the ids look like, for a message: "numbers such as 3 and strings such as 'a'"."""
    examples: Dict[str, Any] = {}
    for value in ids:
        kind = "strings" if isinstance(value, str) else "numbers" if as_id(value) is not None else "values that are no ids"
        examples.setdefault(kind, value)
    return " and ".join(f"{kind} such as {_short(value)}" for kind, value in examples.items())


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
