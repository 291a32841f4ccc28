"""Weight files: read, match, write, fetch."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "load_pdparams": "checkpoint",
        "load_pretrained": "checkpoint",
        "save_pdparams": "checkpoint",
    },
)
