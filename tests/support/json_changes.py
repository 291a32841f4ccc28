"""The ways in which tests spoil a JSON document, for generators that draw by a seed (`fuzzing`) and by hypothesis."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

ODD = (
    None, True, False, 0, 1, -1, 17.0, 1.5, 1e308, -1e30, float("nan"), float("inf"), 10**30, 2**63, 2**70, 10**400, "", "0", "1",
    "x", "nan", "\0", "\ud800", "a" * 300, "../a", "/dev/zero", "a\\b", [], [[]], {}, [None], [0, 0, 0, 0], ["1", "2", "3", "4"],
    [[1, 2, 2]] * 17, [[1, 2]] * 17, {"nose": [1, 2, 2]}, {"a": 1}, [1, [2], 3, 4], [0] * 51, [float("nan")] * 51, [None] * 51,
    {"size": [2**40, 2**40], "counts": [0, 2**80]}, {"size": [9, 9], "counts": "a" * 40},
)  # fmt: skip
"""Values that a reader may not expect."""

ACTIONS = ("replace", "replace", "replace", "remove", "wrap", "text", "repeat", "copy")
"""What `apply` does; replacing is the most likely."""
MOST_CHANGES = 3


def change_one_value(document: Any, choose: Callable[[Sequence[Any]], Any], odd_value: Callable[[], Any]) -> None:
    """Change one value of a document in place, or none if it has no values inside.

    Args:
        document: lists and dicts.
        choose: picks one element of a sequence.
        odd_value: draws a value for "replace".
    """
    found = list(places(document))
    if not found:
        return
    holder, key = choose(found)
    action = choose(ACTIONS)
    if action == "replace":
        new = odd_value()
    elif action == "copy":
        source, place = choose(found)
        new = source[place]
    else:
        new = None
    apply(action, holder, key, new)


def apply(action: str, holder: Any, key: Any, new: Any = None) -> None:
    """Change `holder[key]` in place.

    Args:
        action: "replace" and "copy" put a copy of `new` there, "remove" deletes the value, "wrap" puts it into a list, "text"
            makes it a string, "repeat" appends it to the list that holds it (in a dict: no change).
        holder, key: a list and an index, or a dict and a key.
        new: see above.
    """
    if action in ("replace", "copy"):
        holder[key] = copy.deepcopy(new)  # later changes must not reach into ODD
    elif action == "remove":
        del holder[key]
    elif action == "wrap":
        holder[key] = [holder[key]]
    elif action == "text":
        holder[key] = str(holder[key])
    elif action != "repeat":
        raise ValueError(f"action is {action!r}, expected one of {ACTIONS}")
    elif isinstance(holder, list):
        holder.append(copy.deepcopy(holder[key]))


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """(holder, key) of every value inside, the deep ones thinned out: a list of 51 numbers counts for a few."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for number, (key, inner) in enumerate(list(items)):
        if number < 6 or number % 17 == 2:
            yield value, key
            yield from places(inner)
