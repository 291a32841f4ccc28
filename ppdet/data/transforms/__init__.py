"""Transforms: `sample = transform(sample, rng)`. Every random number comes from `rng`; what is drawn (policy) is
separate from what is done with it (`operations`). One class a module; nothing heavy is imported here."""
