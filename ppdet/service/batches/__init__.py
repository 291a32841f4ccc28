"""How images of many clients become batches: checked, bounded, decoded, estimated together."""

from __future__ import annotations

__all__: list[str] = []
