"""Transforms of whole images with everyone in them."""
