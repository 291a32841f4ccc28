"""What commands share: flags and their values, PaddleDetection's flags, and the way from arguments to an exit status."""

from __future__ import annotations

__all__: list[str] = []
