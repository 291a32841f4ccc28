"""Shape of an output of a backbone or neck, from which the next part takes its sizes."""

from __future__ import annotations

from typing import NamedTuple, Optional, Sequence

from ppdet.core.errors import ConfigError


class ShapeSpec(NamedTuple):
    """One feature map: number of channels, and input pixels per cell."""

    channels: int
    stride: int


def input_channels(owner: str, stated: Optional[int], input_shape: Optional[Sequence[ShapeSpec]]) -> int:
    """Channels of a head's input: from its section, from the preceding part, or from both if they agree.

    Raises:
        ConfigError: neither is known, or they differ.
    """
    given = None if input_shape is None else input_shape[0].channels
    if stated is None and given is None:
        raise ConfigError(f"{owner}: in_channels is missing; give the number of channels of the feature map")
    if None not in (stated, given) and stated != given:
        raise ConfigError(f"{owner}: in_channels is {stated}, but the backbone gives {given}; leave it out, it is filled in")
    return int(stated if stated is not None else given)  # type: ignore[arg-type]
