"""Annotation files: read once, turned into one form, and judged by one rule for datasets, metrics and drawing."""
