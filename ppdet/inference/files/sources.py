"""Identifies the kinds of sources of a pipeline, reads single images, and rejects everything else with a clear message."""
from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import numpy as np

from ppdet.core.errors import DataError, MediaError
from ppdet.image.depth import checked_range, pixels_of_pil, to_uint8
from ppdet.image.io import check_image_size, decode_stored_image, read_image
from ppdet.inference.files.source_names import camera_number
from ppdet.inference.files.urls import fetch_image, is_url, without_secrets

ACCEPTED = ("accepted are an RGB array (height, width, 3) uint8, a PIL image, the bytes of an encoded image, the path or URL of "
            "an image, a list or an iterator of these, the path of a folder or video, the URL of a stream, or the number of a "
            "camera")
IMAGE_KINDS = ("array", "pil", "bytes", "path", "url")


def kind_of(source: object, what: str = "the source") -> str:
    """"array", "pil", "bytes", "list", "iterator", "number", "url" or "path".

    Args:
        source: the user's argument.
        what: its name in messages.

    Raises:
        DataError: it is none of these.
        MediaError: it is None, as returned by a failed `cv2.imread`, or an empty string, which would be the working directory.
    """
    if source is None:
        raise MediaError(f"{what} is no image (None): did reading it fail? {ACCEPTED}")
    if isinstance(source, np.ndarray):
        return "array"
    if isinstance(source, (list, tuple)):
        return "list"
    if isinstance(source, (bytes, bytearray, memoryview)):
        return "bytes"
    if isinstance(source, (int, np.integer)) and not isinstance(source, bool):
        return "number"
    if isinstance(source, str) and not source.strip():
        raise MediaError(f"{what} is an empty string: is a variable not set? {ACCEPTED}")
    if isinstance(source, (str, os.PathLike)):
        return "url" if is_url(source) else "number" if camera_number(source) is not None else "path"
    if all(hasattr(source, name) for name in ("convert", "getbands", "size")):  # a PIL image, recognised without importing PIL
        return "pil"
    if isinstance(source, Iterator):
        return "iterator"
    raise DataError(f"{what} is of type {type(source).__name__}: {ACCEPTED}")


def image_of(
    source: object, kind: str, image_range: Sequence[float] | None = None, name: str = "given as bytes"
) -> np.ndarray:
    """The (H, W, 3) RGB uint8 pixels of an array, a PIL image, an encoded image or a file.

    Encoded images and files are turned as their EXIF orientation says; PIL images and arrays are taken as they are.

    Args:
        source: the image.
        kind: as returned by `kind_of`.
        image_range: [black, white] of images with more than 8 bits; None finds it from the image.
        name: name of an encoded image in messages.

    Raises:
        MediaError: it cannot be decoded.
        DataError: an array that is not an RGB image.
    """
    if kind == "array":
        return checked_image(source, image_range)
    if kind == "pil":
        return pixels_of_pil(source, checked_range(image_range))
    if kind == "bytes":
        return decode_stored_image(bytes(source), name, image_range).upright()  # type: ignore[call-overload]
    return read_image(source, apply_orientation=True, image_range=image_range)  # type: ignore[arg-type]


def checked_image(image: object, image_range: Sequence[float] | None = None) -> np.ndarray:
    """The image as contiguous uint8; 16-bit values are scaled as for files.

    Args:
        image: (H, W, 3) RGB, uint8 or uint16.
        image_range: [black, white] of uint16 values; None finds it from the image.

    Raises:
        DataError: not (H, W, 3) uint8 or uint16, or without pixels.
        MediaError: None, as returned by a failed `cv2.imread`.
    """
    if not isinstance(image, np.ndarray):
        kind_of(image, "the image")
        raise DataError(f"an image must be a (height, width, 3) RGB uint8 array; given is a {type(image).__name__}")
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype not in (np.uint8, np.uint16) or image.size == 0:
        raise DataError(f"an image must be (height, width, 3) RGB uint8 (or uint16); given shape {image.shape}, {image.dtype}. "
                        "For a grey image use np.repeat(grey[..., None], 3, axis=2); for OpenCV's BGR use image[..., ::-1]; for "
                        "values from 0 to 1 use (image * 255).astype(np.uint8)")
    check_image_size(image.shape[1::-1], "the image array")
    return np.ascontiguousarray(to_uint8(image, checked_range(image_range), "the image array"))


def no_image(source: object, what: str) -> DataError:
    """The error of a source that is no image; `what` names it."""
    return DataError(f"{what} is a {type(source).__name__}: it may be an RGB array, a PIL image, an encoded image, or the path "
                     "or URL of an image")


def pixels_of(source: object, what: str, image_range: Sequence[float] | None = None) -> tuple[np.ndarray, str | None]:
    """The pixels of one image, and where it comes from if it is a file or on the web.

    Args:
        source: array, PIL image, encoded image, path or URL.
        what: names it in messages.
        image_range: see `checked_image`.

    Returns:
        (H, W, 3) RGB uint8, and the path or URL or None.

    Raises:
        DataError, MediaError: it is no image, or cannot be read.
    """
    kind = kind_of(source, what)
    path = str(source) if kind == "path" else None
    if kind == "url":
        path = without_secrets(str(source))
        data = fetch_image(str(source))
        if data is None:
            raise no_image(source, what)
        return checked_image(image_of(data, "bytes", image_range, path), image_range), path
    if kind not in IMAGE_KINDS:
        raise no_image(source, what)
    return checked_image(image_of(source, kind, image_range), image_range), path
