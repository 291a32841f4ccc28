"""Numbers with their nouns, for messages."""

from __future__ import annotations

from typing import Optional


def quantity(count: int, one: str, many: Optional[str] = None) -> str:
    """A number with its noun: "1 image", "3 images".

    Args:
        count: how many.
        one: the noun for one.
        many: the noun for other numbers; by default `one` with an "s".
    """
    return f"{count} {one if count == 1 else many or one + 's'}"
