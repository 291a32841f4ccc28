"""Numbers agree with their nouns."""

from __future__ import annotations

import pytest

from ppdet.core.quantity import pace, quantity


@pytest.mark.parametrize(
    ("count", "words", "text"),
    [(1, ("image",), "1 image"), (0, ("image",), "0 images"), (2, ("box", "boxes"), "2 boxes"), (1, ("box", "boxes"), "1 box")],
)
def test_the_noun_agrees_with_the_number(count: int, words: tuple[str, ...], text: str) -> None:
    assert quantity(count, *words) == text


@pytest.mark.parametrize(
    ("count", "seconds", "text"),
    [(5, 2, "2.5 per second"), (1, 1, "1.0 per second"), (1, 20, "3.0 per minute"), (3, 3600, "3.0 per hour"),
     (1, 36000, "0.1 per hour"), (0, 5, "0.0 per second")],
)  # fmt: skip
def test_pace(count: float, seconds: float, text: str) -> None:
    assert pace(count, seconds) == text
