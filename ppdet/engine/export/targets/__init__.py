"""The files that an export can consist of. One module per target; `table` lists them."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(__name__, {"TARGETS": "table", "Target": "base", "ExportJob": "job"})
