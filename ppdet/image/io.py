"""Read and write image files. Every failure names the file and what to do."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Optional, Sequence, Union

import cv2
import numpy as np

from ppdet.core.errors import ConfigError, MediaError
from ppdet.core.files import atomic_write, read_regular_file
from ppdet.core.logger import get_logger
from ppdet.image.completeness import jpeg_ends_early, missing_part
from ppdet.image.depth import checked_range, to_uint8
from ppdet.image.dicom import decode_dicom, dicom_wh
from ppdet.image.foreign import FOREIGN_SUFFIXES, advice, foreign_format
from ppdet.image.header import DICOM_MAGIC_END, ImageHeader, has_image_signature, is_dicom, read_header
from ppdet.image.orientation import turn_upright

PathLike = Union[str, "os.PathLike[str]"]

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".dcm", ".dicom")
PHOTO_SUFFIXES = IMAGE_SUFFIXES + tuple(suffix for suffix in FOREIGN_SUFFIXES if suffix != ".gif")
"""What is meant as an image and not as a video, formats included that reading names and refuses; OpenCV plays a GIF."""
UNWRITTEN_SUFFIXES = (".dcm", ".dicom")
"""Formats that are read and not written."""
LONGEST_CREDIBLE_SIDE = 1 << 20
"""Text that begins as an image does ("BM", "P5 ") would be one of 10^8 pixels per side."""
MAX_FILE_BYTES = 1 << 30
HEADER_BYTES = 1 << 18
"""First bytes of a file, which nearly always hold its size and orientation."""
MAX_SIDE = 32766
"""OpenCV's `warpAffine` counts pixels along a side in 16 bits (SHRT_MAX)."""
DEFAULT_MAX_PIXELS = 178_956_970
"""Half a gigabyte of RGB, and where Pillow stops, too. A PNG of 124 KB can hold 10^9 pixels."""
MAX_PIXELS_VARIABLE = "PPDET_MAX_IMAGE_PIXELS"


def max_image_pixels() -> int:
    """The largest number of pixels that is decoded: the environment variable PPDET_MAX_IMAGE_PIXELS, or 178,956,970.

    Raises:
        ConfigError: the variable is not a positive whole number.
    """
    text = os.environ.get(MAX_PIXELS_VARIABLE, "")
    if not text:
        return DEFAULT_MAX_PIXELS
    if not text.isdigit() or int(text) < 1:
        raise ConfigError(f"{MAX_PIXELS_VARIABLE} is a positive whole number of pixels; given {text!r}")
    return int(text)


def check_image_size(wh: Sequence[int], what: str, max_pixels: Optional[int] = None) -> None:
    """Refuse images that would exhaust the memory or that OpenCV cannot warp.

    Args:
        wh: width and height.
        what: what to call the image in the message.
        max_pixels: the limit; None is `max_image_pixels`.

    Raises:
        MediaError: the image is larger than the limit, has a side of more than 32,766 pixels, or no pixels at all.
    """
    width, height = int(wh[0]), int(wh[1])
    limit = max_image_pixels() if max_pixels is None else max_pixels
    if width < 1 or height < 1:
        raise MediaError(f"{what} has no pixels ({width} x {height})")
    if width * height > limit:
        raise MediaError(f"{what} is {width} x {height} pixels, more than the {limit} pixels that are decoded; scale it down, or "
                         f"raise the limit with the environment variable {MAX_PIXELS_VARIABLE}")
    if max(width, height) > MAX_SIDE:
        raise MediaError(f"{what} is {width} x {height} pixels; OpenCV warps images of at most {MAX_SIDE} pixels per side. "
                         "Scale it down or cut it into parts")


@dataclass(frozen=True)
class StoredImage:
    """An image as its file stores it.

    Attributes:
        rgb: (H, W, 3) RGB uint8, not turned.
        orientation: EXIF orientation, 1 to 8.
    """

    rgb: np.ndarray
    orientation: int

    def upright(self) -> np.ndarray:
        """The pixels turned as the EXIF orientation says."""
        return turn_upright(self.rgb, self.orientation)


def read_image(
    path: PathLike,
    apply_orientation: bool = False,
    image_range: Optional[Sequence[float]] = None,
    max_pixels: Optional[int] = None,
) -> np.ndarray:
    """Decode a file to (H, W, 3) RGB uint8.

    Args:
        path: the file.
        apply_orientation: turn the image as its EXIF orientation says, as viewers and `cv2.imread` do; for images that users
            give. Datasets compare the annotated size first, see `read_stored_image`.
        image_range: [black, white] values of images with more than 8 bits; None finds it from each file, see
            `ppdet.image.depth.to_uint8`. Files with 8 bits do not need it and ignore it.
        max_pixels: largest number of pixels that is decoded; None is `max_image_pixels`.

    Raises:
        MediaError: the file is missing, not a regular file, empty, cut short, too large, or not an image that is read here.
    """
    stored = read_stored_image(path, image_range, max_pixels)
    return stored.upright() if apply_orientation else stored.rgb


def read_stored_image(
    path: PathLike, image_range: Optional[Sequence[float]] = None, max_pixels: Optional[int] = None
) -> StoredImage:
    """Decode a file and say how it is to be turned; arguments and errors are those of `read_image`."""
    file = Path(path)
    try:
        data = read_regular_file(file, MAX_FILE_BYTES)
    except OSError as error:
        raise MediaError(f"cannot read image {_shown(file)}: {error.strerror or error}; check the path") from error
    return decode_stored_image(data, str(file), image_range, max_pixels)


def decode_stored_image(
    data: bytes, file: str, image_range: Optional[Sequence[float]] = None, max_pixels: Optional[int] = None
) -> StoredImage:
    """Decode the content of an image file.

    Args:
        data: the encoded image.
        file: what to call it in messages: a path or a URL.
        image_range, max_pixels: see `read_image`, as for the errors.
    """
    if _is_only_dicom(data):
        check_image_size(dicom_wh(data, file), f"image {file}", max_pixels)
        return StoredImage(decode_dicom(data, file, checked_range(image_range)), 1)
    header = _checked_header(data, file, max_pixels)
    pixels = _decode(data)
    if pixels is None:
        raise MediaError(f"image {file} is a damaged {header.format} file ({len(data)} bytes): OpenCV cannot decode it; fetch it "
                         "again or leave it out")
    if jpeg_ends_early(data, pixels, _decode):
        raise MediaError(f"image {file} is a truncated JPEG ({len(data)} bytes, its last pixels are missing); fetch it again or "
                         "leave it out")
    if header.pages > 1:
        _warn_of_pages(file, header)
    pixels = to_uint8(pixels, checked_range(image_range), f"image {file}", header.significant_bits)
    return StoredImage(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), header.orientation)


def read_image_header(path: PathLike) -> Optional[ImageHeader]:
    """Size and orientation of a file, without decoding it; None if it is no image that is read here, or damaged.

    Raises:
        OSError: the file cannot be opened.
        ConfigError: a DICOM file, and pydicom is not installed.
    """
    with open(path, "rb") as file:
        data = file.read(HEADER_BYTES)
        found = _header_of(data, str(path))
        if found is None and len(data) == HEADER_BYTES:
            found = _header_of(data + file.read(MAX_FILE_BYTES), str(path))
    return found


def is_image_file(path: PathLike) -> bool:
    """Whether a file is meant as an image that is read here: by its suffix, or by its content if the name has none.

    A number after the last dot is no suffix: DICOM files are often called by a UID, such as 1.2.840.10008.
    """
    file = Path(path)
    suffix = file.suffix.lower()
    if suffix in IMAGE_SUFFIXES:
        return True
    return (not suffix or suffix[1:].isdigit()) and _is_image_by_content(file)


def is_photo_file(path: PathLike) -> bool:
    """`is_image_file`, or a name of `PHOTO_SUFFIXES`: what is to be read as an image and not as a video."""
    return Path(path).suffix.lower() in PHOTO_SUFFIXES or is_image_file(path)


def _is_image_by_content(file: Path) -> bool:
    try:
        if not file.is_file():  # opening a pipe would wait for a writer
            return False
        with open(file, "rb") as stream:
            start = stream.read(DICOM_MAGIC_END)
        if is_dicom(start):
            return True  # its size needs pydicom, which reading asks for
        header = read_image_header(file) if has_image_signature(start) else None
    except OSError:
        return False
    return header is not None and max(header.wh) <= LONGEST_CREDIBLE_SIDE


def _header_of(data: bytes, file: str) -> Optional[ImageHeader]:
    found = read_header(data)
    if found is not None or not is_dicom(data):
        return found
    try:
        return ImageHeader("DICOM", dicom_wh(data, file))
    except MediaError:
        return None


def _is_only_dicom(data: bytes) -> bool:
    """Whether a file is DICOM and nothing else: if its first 128 bytes are the header of another format, that one is read, so
    that what was checked by that header is what is decoded."""
    return is_dicom(data) and read_header(data) is None


def drawn_name(name: str) -> str:
    """Name of the drawing of an image: its own, or with .png if it has no suffix or that of a format that is not written
    (hand.dcm: hand.png)."""
    path = PurePath(name)
    if not path.suffix or path.suffix[1:].isdigit():
        return f"{name}.png"
    return str(path.with_suffix(".png")) if path.suffix.lower() in UNWRITTEN_SUFFIXES else name


def _checked_header(data: bytes, file: str, max_pixels: Optional[int]) -> ImageHeader:
    """The header of a file that may be decoded. Raises MediaError for one that may not."""
    if not data:
        raise MediaError(f"image {file} is empty (0 bytes); fetch it again or leave it out")
    missing = missing_part(data)
    if missing:
        kind = "JPEG" if data[:2] == b"\xff\xd8" else "PNG"
        raise MediaError(f"image {file} is a truncated {kind} ({len(data)} bytes, {missing}); fetch it again or leave it out")
    header = read_header(data)
    if header is None:
        name = foreign_format(data)
        if name:
            raise MediaError(f"{file} is {_article(name)} {name} file, which is not an image format read here; {advice(name)}")
        raise MediaError(f"{file} is not an image OpenCV can decode ({len(data)} bytes); convert it to JPEG or PNG")
    check_image_size(header.wh, f"image {file}", max_pixels)
    return header


@lru_cache(maxsize=4096)  # once per file, not in every epoch
def _warn_of_pages(file: str, header: ImageHeader) -> None:
    what = "pages" if header.format == "TIFF" else "frames"
    source = f"apng:{file}" if header.format == "PNG" else file
    get_logger(__name__).warning("image %s is a %s file of %d %s, and only the first is read; to use all, write them to files of "
                                 "their own, for example with ImageMagick: magick %s page_%%04d.png", file, header.format,
                                 header.pages, what, source)  # fmt: skip


def _decode(data: bytes) -> Optional[np.ndarray]:
    """(H, W, 3) stored pixels in BGR, with the bit depth of the file; None if they cannot be decoded."""
    colour = cv2.IMREAD_ANYCOLOR if data[:2] in (b"II", b"MM") else cv2.IMREAD_COLOR  # OpenCV reads grey float TIFF as grey only
    flags = colour | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None
    return np.repeat(pixels[..., None], 3, axis=2) if pixels is not None and pixels.ndim == 2 else pixels


def _article(name: str) -> str:
    return "an" if name[0] in "AEIO" or name.startswith("MP4") else "a"


def _shown(file: Path) -> str:
    """A path that can be printed, whatever is in it."""
    return str(file).encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")


def write_image(path: PathLike, rgb: np.ndarray) -> Path:
    """Encode (H, W, 3) RGB uint8 in the format of the file's suffix; written to a temporary name, then renamed.

    Raises:
        MediaError: the suffix is not an image format, or the folder cannot be written.
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
    """Image files of a folder (not of its sub-folders), sorted by name; those without a suffix are recognised by their content.

    Images in formats that are not read here (HEIC, GIF, ...) are listed as well, so that reading them fails with their
    name instead of their being passed over. Files of other kinds are left out; a warning counts them.

    Raises:
        MediaError: there is no such folder, or no image in it.
    """
    root = Path(folder)
    if not root.is_dir():
        raise MediaError(f"{root} is not a folder; give a folder that holds images")
    try:
        entries = sorted(path for path in root.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise MediaError(f"cannot read the folder {root}: {error.strerror or error}") from error
    files = [path for path in entries if path.suffix.lower() in FOREIGN_SUFFIXES or is_image_file(path)]
    if not files:
        folders = sum(path.is_dir() for path in entries)
        hint = f"; its {folders} sub-folders are not searched, give one of them" if folders else ""
        raise MediaError(f"no image in {root}; looked for {', '.join(IMAGE_SUFFIXES)}, and for images without a suffix{hint}")
    others = Counter(path.suffix.lower() or "no suffix" for path in entries if path not in set(files) and path.is_file())
    if others:
        counts = ", ".join(f"{count} with {suffix}" for suffix, count in sorted(others.items())[:10])
        get_logger(__name__).warning("%s: %d files are not images and are left out (%s)", root, sum(others.values()), counts)
    return files
