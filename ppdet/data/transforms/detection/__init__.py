"""Transforms of whole images with their boxes, for training detectors."""
