"""In which batches does this engine on this machine run a network at the least cost?"""
from __future__ import annotations

__all__: list[str] = []
