"""`ppdet`: one console command with a sub-command per module, and shell completion for it."""

from __future__ import annotations

__all__: list[str] = []
