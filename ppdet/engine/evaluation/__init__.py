"""Measure a model on a dataset."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "Evaluator": "evaluator",
        "evaluate": "evaluator",
    },
)
