"""Weights of other toolkits: read the authors' PyTorch files without PyTorch, and give them our names."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "convert": "conversion",
    },
)
