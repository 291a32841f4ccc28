"""When must the detector look again, and where are people in between?"""
from __future__ import annotations

__all__: list[str] = []
