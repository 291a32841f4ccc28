"""Transforms of whole images with all their people."""
