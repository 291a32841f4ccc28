"""The training loop and everything that happens around its iterations."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "TrainStep": "train_step",
        "TrainingOptions": "run",
        "train": "run",
    },
)
