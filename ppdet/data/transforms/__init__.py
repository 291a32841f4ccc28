"""Transforms: `sample = transform(sample, rng)`. Every random number comes from `rng`; sampling parameters is
separate from applying them (`operations`). Nothing heavy is imported here."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "FlipSource": "operations",
        "mirror_person": "operations",
    },
)
