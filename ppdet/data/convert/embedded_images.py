"""Writes the images that labelme embeds in its files (`imageData`), for people who were given the JSON files alone."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path, PureWindowsPath
from typing import Any, Dict, List

from ppdet.core.errors import DataError
from ppdet.core.files import atomic_write
from ppdet.core.json_file import read_json
from ppdet.core.logger import get_logger
from ppdet.core.quantity import quantity
from ppdet.image.header import read_header
from ppdet.image.io import IMAGE_SUFFIXES

_log = get_logger(__name__)
FAILURES_NAMED = 8


def extract_images(folder: Path) -> List[Path]:
    """Write each embedded image beside its JSON file, called as `imagePath` says. Images that are there already are left alone.

    Args:
        folder: of labelme's files, including sub-folders.

    Returns:
        The files written.

    Raises:
        DataError: no such folder, no file with an image, or files whose image cannot be written, all of which are named; the
            images of the others are there then.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder; give the folder of labelme's JSON files")
    sources: Dict[Path, Path] = {}
    written: List[Path] = []
    failures: List[str] = []
    for file in sorted(folder.rglob("*.json")):
        content = read_json(file, "labelme file", "give labelme's folder")
        if not embeds_image(content):
            continue
        image = file.with_name(PureWindowsPath(str(content.get("imagePath") or "")).name or file.stem + ".png")
        try:
            data = _image_data(content["imageData"], image)
            if image in sources:
                raise DataError(f"its image {image.name} is that of {sources[image].name}, too; put the files into two folders")
            sources[image] = file
            if not image.exists():
                with atomic_write(image, "wb") as out:
                    out.write(data)
                written.append(image)
        except (DataError, OSError) as error:
            failures.append(f"{file}: {error}")
    if failures:
        more = [f"and {len(failures) - FAILURES_NAMED} more"] if len(failures) > FAILURES_NAMED else []
        done = f"{quantity(len(written), 'image')} written, {len(failures)} not:"
        raise DataError("\n  ".join([done, *failures[:FAILURES_NAMED], *more]))
    if not sources:
        raise DataError(f"{folder}: no JSON file in it embeds an image (`imageData` of labelme); copy the images there instead")
    there = len(sources) - len(written)
    _log.info("%s: %s written%s", folder, quantity(len(written), "image"), f", {there} were there already" if there else "")
    return written


def embeds_image(content: Any) -> bool:
    """Whether the content of a JSON file is that of labelme with an image inside."""
    return isinstance(content, Mapping) and "shapes" in content and isinstance(content.get("imageData"), str)


def extraction_advice(folder: Path) -> str:
    """What to do about images that are only inside of labelme's files."""
    return f"write such images out with: ppdet dataset extract-images {folder}"


def _image_data(text: str, image: Path) -> bytes:
    """The bytes of an embedded image, checked to be one before anything is written."""
    if image.suffix.lower() not in IMAGE_SUFFIXES:
        raise DataError(f"its imagePath ends in {image.suffix!r}, expected {', '.join(IMAGE_SUFFIXES)}")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DataError(f"its imageData is not base64 ({error}); save the file again in labelme") from error
    if read_header(data) is None:
        raise DataError(f"its imageData ({len(data)} bytes) is no image; save the file again in labelme")
    return data
