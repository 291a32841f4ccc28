"""Read and write image files; every failure names the file and what to do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Union

import cv2
import numpy as np

from ppdet.core.errors import MediaError
from ppdet.core.files import atomic_write

PathLike = Union[str, "os.PathLike[str]"]

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")

_JPEG_END = b"\xff\xd9"


def read_image(path: PathLike, apply_orientation: bool = False) -> np.ndarray:
    """Decode a file to (H, W, 3) RGB uint8.

    Args:
        path: the file.
        apply_orientation: turn the picture as its EXIF orientation says, as viewers and `cv2.imread` do; for pictures that
            users give. Datasets leave it off: annotations of COCO and its kin refer to the stored pixels.

    Raises:
        MediaError: the file is missing, empty, truncated or no image.
    """
    file = Path(path)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise MediaError(f"cannot read image {file}: {error.strerror or error}; check the path") from error
    if not data:
        raise MediaError(f"image {file} is empty (0 bytes); fetch it again or leave it out")
    if _truncated_jpeg(data):
        raise MediaError(f"image {file} is a truncated JPEG ({len(data)} bytes, no end marker); fetch it again or leave it out")
    bgr = decode_bgr(data, apply_orientation)
    if bgr is None:
        raise MediaError(f"{file} is not an image OpenCV can decode ({len(data)} bytes); convert it to JPEG or PNG")
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def decode_bgr(data: bytes, apply_orientation: bool = False) -> Union[np.ndarray, None]:
    """(H, W, 3) BGR uint8 of an encoded image, or None if it cannot be decoded; see `read_image`."""
    flags = cv2.IMREAD_COLOR if apply_orientation else cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None


def _truncated_jpeg(data: bytes) -> bool:
    """Whether a JPEG stops before its end marker; OpenCV would fill the missing part with grey and say nothing."""
    if data[:2] != b"\xff\xd8":
        return False
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:  # header segments; an embedded thumbnail has an end marker of its own
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:  # start of scan: pixels follow
            break
    return _JPEG_END not in data[at:]


def write_image(path: PathLike, rgb: np.ndarray) -> Path:
    """Encode (H, W, 3) RGB uint8 by the file's suffix; written to a temporary name, then renamed.

    Raises:
        MediaError: the suffix is no image format, or the folder cannot be written.
    """
    file = Path(path)
    try:
        done, encoded = cv2.imencode(file.suffix or ".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    except cv2.error:
        done = False
    if not done:
        raise MediaError(f"cannot encode {file}: {file.suffix!r} is not an image format OpenCV writes; use .jpg or .png")
    try:
        with atomic_write(file, "wb") as out:
            out.write(encoded.tobytes())
    except OSError as error:
        raise MediaError(f"cannot write {file}: {error.strerror or error}; choose another output folder") from error
    return file


def list_images(folder: PathLike) -> list[Path]:
    """Image files of a folder (not of its sub-folders), sorted by name.

    Raises:
        MediaError: no such folder, or no image in it.
    """
    root = Path(folder)
    if not root.is_dir():
        raise MediaError(f"{root} is not a folder; give a folder that holds images")
    files = sorted(p for p in root.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
    if not files:
        raise MediaError(f"no image in {root}; looked for {', '.join(IMAGE_SUFFIXES)}")
    return files
