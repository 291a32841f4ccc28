"""Parts of the image in which people count."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "Zone": "zone",
        "ZoneCounter": "counter",
        "ZoneView": "view",
        "load_zones": "reading",
        "zones_of_flags": "reading",
    },
)
