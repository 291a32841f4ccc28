"""Floor 4: train, evaluate, predict, export."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "Assembly": "assembly",
        "Precision": "precision",
        "choose_device": "device",
        "import_components": "components",
    },
)
