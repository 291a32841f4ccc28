"""Tells apart what a pipeline may be given, and refuses the rest in plain words."""
from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from ppdet.core.errors import DataError, MediaError
from ppdet.image.depth import checked_range, to_uint8
from ppdet.image.io import check_image_size

ACCEPTED = ("accepted are an RGB array (height, width, 3) uint8, a PIL image, the path of an image, a list of these, the path of "
            "a folder or video, or the number of a camera")


def kind_of(source: object, what: str = "the source") -> str:
    """"array", "pil", "list", "number" or "path".

    Args:
        source: what the user gave.
        what: how to call it in a message.

    Raises:
        DataError: it is nothing of these.
        MediaError: it is None, as from a `cv2.imread` that failed.
    """
    if source is None:
        raise MediaError(f"{what} is no image (None): did reading it fail? {ACCEPTED}")
    if isinstance(source, np.ndarray):
        return "array"
    if isinstance(source, (list, tuple)):
        return "list"
    if isinstance(source, (int, np.integer)) and not isinstance(source, bool):
        return "number"
    if isinstance(source, (str, os.PathLike)):
        return "path"
    if all(hasattr(source, name) for name in ("convert", "getbands", "size")):  # PIL's, told without importing it
        return "pil"
    advice = ""
    if isinstance(source, (bytes, bytearray, memoryview)):
        advice = "; decode an encoded image first, for example with cv2.imdecode, and turn its BGR into RGB: image[..., ::-1]"
    elif hasattr(source, "__next__"):
        advice = "; make a list of it, list(...), or call the pipeline on one item after the other"
    raise DataError(f"{what} is of type {type(source).__name__}: {ACCEPTED}{advice}")


def checked_image(image: np.ndarray, image_range: Sequence[float] | None = None) -> np.ndarray:
    """The image as contiguous uint8; 16-bit values are scaled as those of files are.

    Args:
        image: (H, W, 3) RGB, uint8 or uint16.
        image_range: [black, white] of uint16 values; None finds it from the image.

    Raises:
        DataError: not (H, W, 3) uint8 or uint16, or without pixels.
        MediaError: no image at all, as from a `cv2.imread` that failed.
    """
    if not isinstance(image, np.ndarray):
        kind_of(image, "the image")
        raise DataError(f"an image must be a (height, width, 3) RGB uint8 array; given is a {type(image).__name__}")
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype not in (np.uint8, np.uint16) or image.size == 0:
        raise DataError(f"an image must be (height, width, 3) RGB uint8 (or uint16); given shape {image.shape}, {image.dtype}. "
                        "For a grey image use np.repeat(grey[..., None], 3, axis=2); for OpenCV's BGR use image[..., ::-1]; "
                        "for values from 0 to 1 use (image * 255).astype(np.uint8)")
    check_image_size(image.shape[1::-1], "the image array")
    return np.ascontiguousarray(to_uint8(image, checked_range(image_range), "the image array"))
