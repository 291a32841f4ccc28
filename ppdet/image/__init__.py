"""Pixels in and out."""

from ppdet.image.depth import pixels_of_pil, to_uint8
from ppdet.image.io import IMAGE_SUFFIXES, StoredImage, list_images, read_image, read_stored_image, write_image

__all__ = [
    "IMAGE_SUFFIXES",
    "StoredImage",
    "list_images",
    "pixels_of_pil",
    "read_image",
    "read_stored_image",
    "to_uint8",
    "write_image",
]
