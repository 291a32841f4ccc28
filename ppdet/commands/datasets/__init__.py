"""`ppdet dataset`: `dataset` is the command, every other module one of its sub-commands."""

from __future__ import annotations

__all__: list[str] = []
