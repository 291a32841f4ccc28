"""What one output of a backbone or neck looks like, so that the next part can size itself."""

from __future__ import annotations

from typing import NamedTuple


class ShapeSpec(NamedTuple):
    """One feature map: number of channels, and input pixels per cell."""

    channels: int
    stride: int
