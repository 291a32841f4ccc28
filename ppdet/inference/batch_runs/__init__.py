"""Many files by several workers: one result per input, written whole, and a run that goes on where it was stopped."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "BatchJob": "job",
        "BatchOptions": "run",
        "BatchReport": "report",
        "find_inputs": "inputs",
        "run_batch": "run",
    },
)
