"""Wrapper layers that define the outputs of deployed graphs."""

from __future__ import annotations

__all__: list[str] = []
