"""Classify JSON values. Annotation files contain any kind of value in any place."""

from __future__ import annotations

import math
from typing import Any

INT64_LIMIT = 2**63


def is_id(value: Any) -> bool:
    """Whether a value can identify an image, a category or an annotation: a string, or an integer of at most 64 bits."""
    if isinstance(value, bool):
        return False
    return isinstance(value, str) or (isinstance(value, int) and -INT64_LIMIT <= value < INT64_LIMIT)


def is_number(value: Any) -> bool:
    """Whether a value is a finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the range of floats
        return False


def number_or_nan(value: Any) -> float:
    """The finite number, or NaN."""
    return float(value) if is_number(value) else float("nan")
