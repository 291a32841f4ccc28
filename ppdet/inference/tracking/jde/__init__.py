"""The tracker of networks that find people and embed their appearance at once (FairMOT)."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(__name__, {"JdeSettings": "settings", "JdeTracker": "tracker"})
