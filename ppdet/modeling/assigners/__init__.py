"""Which prediction learns which annotated box. Assigners work on whole batches, without gradients."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "ATSSAssigner": "atss",
        "AnchorGrid": "assignment",
        "Assignment": "assignment",
        "SimOTAAssigner": "simota",
        "TaskAlignedAssigner": "task_aligned",
    },
)
