"""Chooses the settings of a training from the annotated objects, with the reason for each."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {"make_plan": "plan"},
)
