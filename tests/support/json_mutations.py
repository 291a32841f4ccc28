"""Any JSON, and valid documents with one to three values changed, for tests of readers."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

ODD = [
    None, True, False, 0, 1, -1, 17.0, 1.5, 1e308, -1e30, float("nan"), float("inf"), 10**30, 2**63, 2**70, 10**400, "", "0", "1",
    "x", "nan", "\0", "\ud800", "a" * 300, "../a", "/dev/zero", "a\\b", [], [[]], {}, [None], [0, 0, 0, 0], ["1", "2", "3", "4"],
    [[1, 2, 2]] * 17, [[1, 2]] * 17, {"nose": [1, 2, 2]}, {"a": 1}, [1, [2], 3, 4], [0] * 51, [float("nan")] * 51, [None] * 51,
    {"size": [2**40, 2**40], "counts": [0, 2**80]}, {"size": [9, 9], "counts": "a" * 40},
]  # fmt: skip

leaves = st.sampled_from(ODD) | st.floats() | st.integers() | st.text(max_size=8)
any_json = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
)


@st.composite
def mutated(draw: Any, document: Any) -> Any:
    """The document with up to three of its values replaced, removed, repeated, or put into a list."""
    content = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        found = list(places(content))
        if not found:
            break
        holder, key = draw(st.sampled_from(found))
        action = draw(st.sampled_from(["replace", "replace", "replace", "remove", "wrap", "text", "repeat"]))
        if action == "replace":
            holder[key] = copy.deepcopy(draw(any_json))  # later changes must not reach into ODD
        elif action == "remove":
            del holder[key]
        elif action == "wrap":
            holder[key] = [holder[key]]
        elif action == "text":
            holder[key] = str(holder[key])
        elif isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
    return content


def places(value: Any) -> Any:
    """(holder, key) of every value inside, the deep ones thinned out: a list of 51 numbers counts for a few."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for number, (key, inner) in enumerate(list(items)):
        if number < 6 or number % 17 == 2:
            yield value, key
            yield from places(inner)
