"""Checks annotation files: finds defects, explains and ranks them, and writes a repaired file."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "Finding": "finding",
        "check_files": "check",
        "fixed_content": "fixing",
    },
)
