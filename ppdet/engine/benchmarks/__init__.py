"""Measurements that the documentation quotes."""

from __future__ import annotations

__all__: list[str] = []
