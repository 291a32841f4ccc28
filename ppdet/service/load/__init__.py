"""How the service stands up to load and to clients that mean it harm: `ppdet benchmark serve`."""

from __future__ import annotations

__all__: list[str] = []
