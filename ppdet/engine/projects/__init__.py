"""From a folder of annotations to a project that can be trained."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(__name__, {"ProjectOptions": "start", "start_project": "start"})
