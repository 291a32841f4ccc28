"""Computes a graph in 8 bits, and measures what that costs."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(__name__, {"Quantizer": "quantizer", "quantize_file": "static"})
