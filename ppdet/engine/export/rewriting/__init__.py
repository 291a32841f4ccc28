"""Rewrites a graph into an equivalent one that the engines run faster. One module per pass; `passes` lists them in order."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(__name__, {"PASSES": "passes", "rewrite_file": "passes", "OnnxGraph": "graph"})
