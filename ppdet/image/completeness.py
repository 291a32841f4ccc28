"""Image files that end too early: OpenCV fills what is missing with grey and says nothing, or only on stderr."""

from __future__ import annotations

import re
import zlib
from typing import Callable, Optional

import numpy as np

from ppdet.image.header import PNG_SIGNATURE

_MISSING_GREY = 128
_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")  # neither a stuffed byte (FF 00) nor a restart marker
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)


def missing_part(data: bytes) -> str:
    """Why a JPEG or PNG cannot be whole, such as "no end marker"; empty if nothing speaks against it.

    A JPEG that was cut and closed with an end marker again needs its pixels as well, see `jpeg_ends_early`.
    """
    if data[:2] == b"\xff\xd8":
        return _missing_of_jpeg(data)
    if data[:8] == PNG_SIGNATURE:
        return _missing_of_png(data)
    return ""


def _missing_of_png(data: bytes) -> str:
    at = 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        if at + 12 + length > len(data):
            return f"its {kind.decode('latin-1')} chunk is cut short"
        if kind == b"IEND":
            return ""
        if kind == b"IDAT" and zlib.crc32(data[at + 4 : at + 8 + length]) != int.from_bytes(data[at + 8 + length :][:4], "big"):
            return "the checksum of its pixels is wrong"
        at += 12 + length
    return "no end chunk"


def _missing_of_jpeg(data: bytes) -> str:
    scans = _scans(data)
    if scans is None or scans[-1][1] < 0:
        return "no end marker"
    try:
        return _missing_scans(data, scans) if _is_progressive(data) else ""
    except (IndexError, ValueError):
        return "a header that does not read"


def _scans(data: bytes) -> Optional[list[tuple[int, int]]]:
    """(start of the scan's header, end of its pixels or -1) of each scan; None if the header does not lead to a scan."""
    at, scans = 2, []
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            at += 1  # garbage between segments: decoders skip it, too
            continue
        marker = data[at + 1]
        if marker in (0x00, 0xFF, 0x01) or 0xD0 <= marker <= 0xD8:
            at += 1 if marker == 0xFF else 2
            continue
        if marker == _END_OF_IMAGE:
            break
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker != _START_OF_SCAN:
            at += 2 + length
            continue
        following = _MARKER.search(data, at + 2 + length)
        scans.append((at + 2, -1 if following is None else following.start()))
        if following is None:
            break
        at = following.start()
    if scans and b"\xff\xd9" not in data[scans[-1][0] :]:
        scans[-1] = (scans[-1][0], -1)
    return scans or None


def _frame(data: bytes) -> tuple[int, int]:
    """(marker, position) of the start of frame; (0, 0) if there is none."""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF or data[at + 1] in (0x00, 0xFF, 0x01) or 0xD0 <= data[at + 1] <= 0xD8:
            at += 1
            continue
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return marker, at
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return 0, 0


def _is_progressive(data: bytes) -> bool:
    return _frame(data)[0] in _PROGRESSIVE


def _missing_scans(data: bytes, scans: list[tuple[int, int]]) -> str:
    """Of a progressive JPEG: every coefficient of every component must be sent down to its last bit (T.81, annex G)."""
    _, at = _frame(data)
    components = [data[at + 10 + 3 * i] for i in range(data[at + 9])]
    begun = {name: np.zeros(64, bool) for name in components}
    precise = {name: np.zeros(64, bool) for name in components}
    for start, _ in scans:
        count = data[start + 2]
        first, last, approximation = data[start + 3 + 2 * count : start + 6 + 2 * count]
        for i in range(count):
            name = data[start + 3 + 2 * i]
            if name in begun:
                (begun if approximation & 15 else precise)[name][first : last + 1] = True
    # A colour component may have no high frequencies at all; the first one, luma, is always sent whole.
    whole = precise[components[0]].all() and all((precise[name] | ~begun[name]).all() for name in components)
    return "" if whole else "its last scans are missing"


def jpeg_ends_early(data: bytes, bgr: np.ndarray, decode: Callable[[bytes], Optional[np.ndarray]]) -> bool:
    """Whether a baseline JPEG has fewer pixels than its header says, although an end marker closes it.

    libjpeg leaves the blocks that are missing at zero, which is the grey of 128. If the last pixel is that grey, the pixels
    are decoded once more with a copy of the scan appended: a whole image does not need it and stays the same, one that ended
    early takes its missing blocks from it.

    Args:
        data: the file.
        bgr: (H, W, 3) its pixels.
        decode: gives the pixels of a file.
    """
    if data[:2] != b"\xff\xd8" or (bgr[-1, -1] != _MISSING_GREY).any():
        return False
    scans = _scans(data)
    if scans is None or _is_progressive(data):
        return False
    start, end = scans[-1]
    pixels_at = start + int.from_bytes(data[start : start + 2], "big")
    first_segment = re.split(rb"\xff[\xd0-\xd7]", data[pixels_at:end], maxsplit=1)[0]
    if len(first_segment) < 2:
        return True
    longer = decode(data[:end].rstrip(b"\xff") + first_segment + data[end:])
    return longer is None or not np.array_equal(longer, bgr)
