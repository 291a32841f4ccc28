"""How the service stands up to load and to hostile clients: `ppdet benchmark serve`."""

from __future__ import annotations

__all__: list[str] = []
