"""Transforms of one person's crop."""
