"""Decides when the detector must run again, and where people are in between."""
from __future__ import annotations

__all__: list[str] = []
