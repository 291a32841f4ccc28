"""Measure a model on a dataset."""
