"""Samples of the data pipelines, and how they are batched."""
