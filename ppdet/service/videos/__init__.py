"""Videos that clients upload: what is taken, the process that works on one, and the list of them."""

from __future__ import annotations

__all__: list[str] = []
