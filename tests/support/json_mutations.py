"""Hypothesis strategies: any JSON, and valid documents with one to three values changed, for tests of readers."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

from support.json_changes import MOST_CHANGES, ODD, change_one_value

leaves = st.sampled_from(ODD) | st.floats() | st.integers() | st.text(max_size=8)
any_json = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
)


@st.composite
def mutated(draw: Any, document: Any) -> Any:
    """The document with up to three values changed as in `json_changes`."""
    content = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, MOST_CHANGES))):
        change_one_value(content, lambda options: draw(st.sampled_from(options)), lambda: draw(any_json))
    return content
