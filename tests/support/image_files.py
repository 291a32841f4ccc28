"""Image files made by hand."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np


def exif_block(orientation: int) -> bytes:
    """A TIFF header and one directory with an orientation."""
    return b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + struct.pack(">HH", orientation, 0) + b"\0\0\0\0"


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk with its length and checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_exif(path: Path, rgb: np.ndarray, orientation: int) -> Path:
    """Write stored pixels with an EXIF orientation, as JPEG, PNG or WebP by the suffix."""
    kind = path.suffix
    options = [cv2.IMWRITE_WEBP_QUALITY, 101] if kind == ".webp" else []
    data = cv2.imencode(kind, np.ascontiguousarray(rgb[..., ::-1]), options)[1].tobytes()
    block = exif_block(orientation)
    if kind == ".jpg":
        segment = b"Exif\0\0" + block
        data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]
    elif kind == ".png":
        data = data[:33] + png_chunk(b"eXIf", block) + data[33:]
    else:
        height, width = rgb.shape[:2]
        extended = b"\x08\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        body = b"WEBP" + b"VP8X" + struct.pack("<I", 10) + extended + data[12:] + b"EXIF" + struct.pack("<I", len(block)) + block
        data = b"RIFF" + struct.pack("<I", len(body)) + body
    path.write_bytes(data)
    return path


def bomb_png(width: int, height: int) -> bytes:
    """A grey PNG of one bit a pixel, all black: a thousandth of what it decodes to."""
    row = b"\0" + bytes(-(-width // 8))
    deflate = zlib.compressobj(9)
    body = b"".join(deflate.compress(row) for _ in range(height)) + deflate.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", body) + png_chunk(b"IEND", b"")
