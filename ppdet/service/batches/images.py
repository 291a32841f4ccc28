"""Checks encoded images from clients by their headers, before anything is decoded, and decodes them."""

from __future__ import annotations

import numpy as np

from ppdet.core.errors import MediaError
from ppdet.image.header import read_header
from ppdet.image.io import MAX_SIDE, decode_stored_image
from ppdet.service.problems import RequestError

FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WebP": "image/webp", "BMP": "image/bmp"}
"""Accepted formats and their media types. Rarer formats are left out, since their decoders add attack surface."""
NAME = "of the request"


def checked_pixels(data: bytes, most_pixels: int) -> int:
    """The number of pixels that the header of an image states.

    Raises:
        RequestError: it is empty, of another format, or too large.
    """
    if not data:
        raise RequestError(400, "empty_body", "the request holds no image (0 bytes): send the content of an image file")
    header = read_header(data)
    known = ", ".join(FORMATS)
    if header is None:
        raise RequestError(415, "unknown_format", f"the {len(data)} bytes are not an image in a supported format: send {known}")
    if header.format not in FORMATS:
        raise RequestError(415, "unknown_format", f"the image is {header.format}: convert it to one of {known}")
    width, height = header.wh
    if width < 1 or height < 1:
        raise RequestError(422, "damaged_image", f"the image has no pixels ({width} x {height}): send another one")
    if width * height > most_pixels:
        raise RequestError(413, "too_many_pixels", f"the image has {width} x {height} pixels, more than the {most_pixels} "
                           "allowed: scale it down")
    if max(width, height) > MAX_SIDE:
        raise RequestError(413, "too_many_pixels", f"the image has {width} x {height} pixels, and no side may be longer than "
                           f"{MAX_SIDE}: scale it down or cut it")
    return width * height


def decoded(data: bytes, most_pixels: int) -> np.ndarray:
    """(H, W, 3) RGB uint8, turned as the EXIF orientation says.

    Raises:
        RequestError: the image is damaged.
    """
    try:
        return decode_stored_image(data, NAME, max_pixels=most_pixels).upright()
    except MediaError as error:
        raise RequestError(422, "damaged_image", str(error)) from error
