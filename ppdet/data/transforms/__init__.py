"""Transforms: `sample = transform(sample, rng)`. Every random number comes from `rng`; sampling parameters is
separate from applying them (`operations`). Nothing heavy is imported here."""
