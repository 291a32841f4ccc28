"""`ppdet demo`: find the models, render the clip, run, measure. Nothing here needs Paddle but `export`."""

from __future__ import annotations

__all__: list[str] = []
