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


def pace(count: float, seconds: float) -> str:
    """How often something happened, in the unit that gives it a number from 1 on: "2.5 per second", "3.0 per minute"."""
    rate = count / max(seconds, 1e-9)
    for unit, factor in (("second", 1), ("minute", 60)):
        if rate * factor >= 1 or not count:
            return f"{rate * factor:.1f} per {unit}"
    return f"{rate * 3600:.1f} per hour"
