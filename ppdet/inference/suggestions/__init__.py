"""Choose the frames whose labels would teach a model most: those on which it disagrees with itself, and not all alike."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(__name__, {"SuggestOptions": "suggest", "suggest_frames": "suggest"})
