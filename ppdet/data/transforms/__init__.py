"""Transforms: `sample = transform(sample, rng)`. Every random number comes from `rng`; what is drawn (policy) is
separate from what is done with it (`operations`)."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "FlipSource": "flip_source",
        "mirror_person": "operations",
    },
)
