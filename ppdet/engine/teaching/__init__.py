"""A better model that makes part of the targets of a training."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(__name__, {"build_teacher": "teacher"})
