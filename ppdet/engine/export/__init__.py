"""Write a model as a folder that any runtime can run, and compare it with the framework."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "export": "exporter",
    },
)
