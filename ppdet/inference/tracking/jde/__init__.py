"""The tracker of networks that find people and describe their looks at once (FairMOT)."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(__name__, {"JdeSettings": "settings", "JdeTracker": "tracker"})
