"""Numbers agree with their nouns."""

from __future__ import annotations

import pytest

from ppdet.core.quantity import quantity


@pytest.mark.parametrize(
    ("count", "words", "text"),
    [(1, ("image",), "1 image"), (0, ("image",), "0 images"), (2, ("box", "boxes"), "2 boxes"), (1, ("box", "boxes"), "1 box")],
)
def test_the_noun_agrees_with_the_number(count: int, words: tuple[str, ...], text: str) -> None:
    assert quantity(count, *words) == text
