"""Look at annotated objects and choose the settings of a training: what fits these data, and why."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {"make_plan": "plan"},
)
