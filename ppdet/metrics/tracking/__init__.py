"""Scores of trackers on sequences of images."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(__name__, {"MOTMetric": "mot"})
