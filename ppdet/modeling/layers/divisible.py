"""Rounding of channel counts."""

from __future__ import annotations


def round_channels(value: float, divisor: int = 8) -> int:
    """Nearest multiple of `divisor`, at least `divisor`, and never more than 10 % below `value` (MobileNet's rule)."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded
