"""What is in an annotation file: visibility, sizes, sides, sigmas."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(__name__, {"Statistics": "statistics", "statistics_of": "statistics"})
