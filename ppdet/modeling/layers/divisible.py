"""Rounding of channel counts."""

from __future__ import annotations

from ppdet.core.errors import ConfigError


def round_channels(value: float, divisor: int = 8) -> int:
    """Nearest multiple of `divisor`, at least `divisor`, and never more than 10 % below `value` (MobileNet's rule).

    Raises:
        ConfigError: `value` is not positive.
    """
    if not value > 0:
        raise ConfigError(f"a layer would have {value:g} channels; the `scale` of a backbone must be positive")
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded
