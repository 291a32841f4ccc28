"""Transforms of pixels alone."""
