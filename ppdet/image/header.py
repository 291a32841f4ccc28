"""Size, orientation and bit depth of an image from its first bytes, before anything is decoded.

Reads JPEG, PNG, BMP, TIFF, WebP, JPEG 2000 and PNM. Every offset comes from the file, so every read is bounds-checked: a
field beyond the end of the data makes the header unreadable.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Callable, Optional

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
EXIF_ORIENTATION_TAG = 0x0112
_BYTE, _SHORT, _LONG, _LONG8 = 1, 3, 4, 16
_WHOLE_NUMBERS = {_BYTE: "B", _SHORT: "H", _LONG: "I", _LONG8: "Q"}
"""Types of TIFF entries, and how `struct` reads them."""
_TIFF_SUBFILE, _TIFF_WIDTH, _TIFF_HEIGHT = 254, 256, 257
_PREVIEW, _MASK = 1, 4
"""Bits of NewSubfileType: a reduced version of another page, a transparency mask."""
_MOST_PAGES = 10_000
#: Start-of-frame markers of JPEG (ITU-T T.81, table B.1): C0 to CF without DHT, JPG and DAC.
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset(range(0xD0, 0xD9)) | {0x01}
_DICOM_MAGIC = b"DICM"
DICOM_MAGIC_END = 132
_DICOM_WITHOUT_PREAMBLE = tuple(bytes([8, 0, element, 0]) for element in (0x00, 0x05, 0x08, 0x16, 0x18))
"""First tags of files from before the preamble: group length, character set, image type, SOP class and instance."""


@dataclass(frozen=True)
class ImageHeader:
    """What an image file says about itself.

    Attributes:
        format: "JPEG", "PNG", ...
        wh: stored width and height in pixels.
        orientation: EXIF orientation, 1 to 8; 1 means that the stored pixels are upright. TIFF files keep 1: OpenCV turns them
            while it decodes.
        significant_bits: of a PNG with an sBIT chunk, how many bits of a sample carry information; else 0.
        pages: images in the file, of which OpenCV decodes the first: pages of a TIFF (previews and masks are none), frames of an
            animated WebP or PNG. They are counted as far as the data reach.
    """

    format: str
    wh: tuple[int, int]
    orientation: int = 1
    significant_bits: int = 0
    pages: int = 1

    @property
    def turned_wh(self) -> tuple[int, int]:
        """Width and height after the EXIF orientation is applied."""
        return (self.wh[1], self.wh[0]) if self.orientation >= 5 else self.wh


def is_dicom(data: bytes) -> bool:
    """Whether a file is DICOM, which `read_header` does not read, by its first `DICOM_MAGIC_END` bytes."""
    return data[DICOM_MAGIC_END - len(_DICOM_MAGIC) : DICOM_MAGIC_END] == _DICOM_MAGIC or data[:4] in _DICOM_WITHOUT_PREAMBLE


def has_image_signature(data: bytes) -> bool:
    """Whether a file begins as an image in a format that is read here, by its first `DICOM_MAGIC_END` bytes."""
    return any(fits(data) for fits, _ in _PARSERS) or is_dicom(data)


def read_header(data: bytes) -> Optional[ImageHeader]:
    """The header of an encoded image, or None if the format is unknown or the header is cut short."""
    for fits, parse in _PARSERS:
        if fits(data):
            try:
                return parse(data)
            except (struct.error, IndexError, ValueError):
                return None
    return None


def _jpeg(data: bytes) -> Optional[ImageHeader]:
    exif, at = b"", 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker in _WITHOUT_LENGTH:
            at += 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        if marker in _START_OF_FRAME:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return ImageHeader("JPEG", (width, height), exif_orientation(exif))
        if marker == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0" and not exif:  # of several, the first counts
            exif = data[at + 10 : at + 2 + length]
        at += 2 + max(length, 2)
    return None


def _png(data: bytes) -> ImageHeader:
    width, height = struct.unpack_from(">II", data, 16)
    orientation, significant, frames, at = 1, 0, 1, 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind = data[at + 4 : at + 8]
        if kind == b"sBIT" and length <= 4:
            significant = max(data[at + 8 : at + 8 + length], default=0)
        elif kind == b"eXIf":
            orientation = exif_orientation(data[at + 8 : at + 8 + length])
        elif kind == b"acTL" and length == 8:
            (frames,) = struct.unpack_from(">I", data, at + 8)
        at += 12 + length
    return ImageHeader("PNG", (width, height), orientation, significant, frames)


def _bmp(data: bytes) -> ImageHeader:
    (size,) = struct.unpack_from("<I", data, 14)
    width, height = struct.unpack_from("<HH" if size == 12 else "<ii", data, 18)
    return ImageHeader("BMP", (abs(width), abs(height)))


def _webp(data: bytes) -> Optional[ImageHeader]:
    wh, orientation, frames, at = None, 1, 0, 12
    while at + 8 <= len(data):
        kind = data[at : at + 4]
        (length,) = struct.unpack_from("<I", data, at + 4)
        body = data[at + 8 : at + 8 + min(length, 1 << 20)]
        if kind == b"VP8X":
            wh = (int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1)
        elif kind == b"VP8 " and wh is None:
            wide, high = struct.unpack_from("<HH", body, 6)
            wh = (wide & 0x3FFF, high & 0x3FFF)
        elif kind == b"VP8L" and wh is None:
            (bits,) = struct.unpack_from("<I", body, 1)
            wh = ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        elif kind == b"EXIF":
            orientation = exif_orientation(body[6:] if body[:6] == b"Exif\0\0" else body)
        frames += kind == b"ANMF"
        at += 8 + length + length % 2
    return None if wh is None else ImageHeader("WebP", wh, orientation, pages=max(frames, 1))


def _tiff(data: bytes) -> Optional[ImageHeader]:
    tags = _first_directory(data, (_TIFF_WIDTH, _TIFF_HEIGHT))
    if len(tags) != 2:
        return None
    return ImageHeader("TIFF", (tags[_TIFF_WIDTH], tags[_TIFF_HEIGHT]), pages=_tiff_pages(data))


def _tiff_pages(data: bytes) -> int:
    """Pages of a TIFF, those without previews and masks; as far as its chain of directories can be followed."""
    order, big = _tiff_form(data)
    head, entry = (8, 20) if big else (2, 12)
    place, seen, pages = _first_place(data), set[int](), 0
    try:
        while place and place not in seen and len(seen) < _MOST_PAGES:
            seen.add(place)
            kind = _directory(data, place, (_TIFF_SUBFILE,)).get(_TIFF_SUBFILE, 0)
            pages += not kind & (_PREVIEW | _MASK)
            (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, place)
            (place,) = struct.unpack_from(order + ("Q" if big else "I"), data, place + head + entry * count)
    except struct.error:
        pass
    return max(pages, 1)


def _jpeg2000(data: bytes) -> Optional[ImageHeader]:
    at = data.find(b"ihdr", 0, 4096)
    if at >= 0:
        height, width = struct.unpack_from(">II", data, at + 4)
        return ImageHeader("JPEG 2000", (width, height))
    at = data.find(b"\xff\x4f\xff\x51", 0, 4096)  # a bare codestream: SOC, SIZ
    if at < 0:
        return None
    right, bottom, left, top = struct.unpack_from(">IIII", data, at + 8)
    return ImageHeader("JPEG 2000", (right - left, bottom - top))


def _pnm(data: bytes) -> Optional[ImageHeader]:
    plain = re.sub(rb"#[^\n]*\n", b" ", data[:4096])
    sizes = re.match(rb"P[1-6]\s+(\d{1,9})\s+(\d{1,9})\s", plain)
    return None if sizes is None else ImageHeader("PNM", (int(sizes.group(1)), int(sizes.group(2))))


_PARSERS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes], Optional[ImageHeader]]], ...] = (
    (lambda data: data[:3] == b"\xff\xd8\xff", _jpeg),
    (lambda data: data[:8] == PNG_SIGNATURE, _png),
    (lambda data: data[:2] == b"BM", _bmp),
    (lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP", _webp),
    (lambda data: data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), _tiff),
    (lambda data: data[4:8] == b"jP  " or data[:4] == b"\xff\x4f\xff\x51", _jpeg2000),
    (lambda data: re.match(rb"P[1-6]\s", data[:3]) is not None, _pnm),
)


def exif_orientation(block: bytes) -> int:
    """The orientation in an EXIF block (a TIFF header and its first directory), 1 to 8; 1 if there is none.

    As browsers, Pillow and OpenCV do, the first entry of several counts, and none that is a single byte.
    """
    try:
        value = _first_directory(block, (EXIF_ORIENTATION_TAG,), (_SHORT, _LONG)).get(EXIF_ORIENTATION_TAG, 1)
    except (struct.error, IndexError):
        return 1
    return value if 1 <= value <= 8 else 1


def _first_directory(data: bytes, wanted: tuple[int, ...], kinds: tuple[int, ...] = tuple(_WHOLE_NUMBERS)) -> dict[int, int]:
    """Whole numbers of the first image file directory (TIFF 6.0, section 2; BigTIFF)."""
    if data[:2] not in (b"II", b"MM"):
        return {}
    return _directory(data, _first_place(data), wanted, kinds)


def _tiff_form(data: bytes) -> tuple[str, bool]:
    """Byte order for `struct`, and whether it is a BigTIFF."""
    order = "<" if data[:2] == b"II" else ">"
    return order, struct.unpack_from(order + "H", data, 2)[0] == 43


def _first_place(data: bytes) -> int:
    """Where the first directory is."""
    order, big = _tiff_form(data)
    place: int = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)[0]
    return place


def _directory(
    data: bytes, at: int, wanted: tuple[int, ...], kinds: tuple[int, ...] = tuple(_WHOLE_NUMBERS)
) -> dict[int, int]:
    """Whole numbers of the directory at a place."""
    order, big = _tiff_form(data)
    (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, at)
    at += 8 if big else 2
    step, value_at = (20, 12) if big else (12, 8)
    found: dict[int, int] = {}
    for entry in range(min(count, 4096)):
        tag, kind = struct.unpack_from(order + "HH", data, at + entry * step)
        if tag in wanted and tag not in found and kind in kinds:
            (found[tag],) = struct.unpack_from(order + _WHOLE_NUMBERS[kind], data, at + entry * step + value_at)
    return found
