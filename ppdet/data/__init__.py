"""Annotations and images in, batches of NumPy arrays out. The classes are in the packages below."""

from __future__ import annotations

__all__: list[str] = []
