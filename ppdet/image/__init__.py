"""Pixels in and out."""

from ppdet.image.io import IMAGE_SUFFIXES, list_images, read_image, write_image

__all__ = ["IMAGE_SUFFIXES", "list_images", "read_image", "write_image"]
