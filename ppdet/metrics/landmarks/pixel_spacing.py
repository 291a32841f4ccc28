"""Millimetres per pixel: one value for all images, `pixel_spacing` of each image in the annotation file, or that of DICOM files.

DICOM states [row spacing, column spacing], that is y before x (0028,0030); files and YAML here use the same order.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, Mapping, Optional, Sequence, Tuple

from ppdet.annotations.values import as_id, as_number
from ppdet.core.errors import ConfigError, DataError
from ppdet.core.json_file import read_json
from ppdet.image.dicom import dicom_spacing

KEY = "pixel_spacing"
ADVICE = (
    "write `pixel_spacing: [row mm, column mm]` (or one number) into each image of the annotation file, or set "
    "KeypointScores.pixel_spacing in the config; EPE is the same error in pixels"
)


def spacing_xy(value: Any, place: str) -> Tuple[float, float]:
    """(x, y) millimetres per pixel of one number, or of [row spacing, column spacing].

    Raises:
        ConfigError: neither, or not positive.
    """
    values = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value, value]
    numbers = [as_number(each) for each in values]
    if len(numbers) != 2 or any(each is None or each <= 0 for each in numbers):
        raise ConfigError(f"{place}: pixel_spacing is {value!r}; expected millimetres per pixel, one number or [row, column]")
    row, column = (float(each) for each in numbers if each is not None)
    return column, row


def spacing_by_image(
    anno_file: Path, number_of: Callable[[Any], int], images: Optional[Path] = None
) -> Dict[int, Tuple[float, float]]:
    """(x, y) spacing of the images that state one, by number.

    Args:
        anno_file: COCO-style annotation file.
        number_of: number of an image id.
        images: folder of the images, for DICOM files that state what the annotation file does not.

    Raises:
        DataError: the file cannot be read.
    """
    content = read_json(anno_file, "annotation file", "check dataset_dir and anno_path")
    entries = content.get("images") if isinstance(content, Mapping) else None
    found = {}
    for image in entries if isinstance(entries, list) else ():
        identity = as_id(image.get("id")) if isinstance(image, Mapping) else None
        if identity is None:
            continue
        value = image.get(KEY)
        if value is None and images is not None:
            value = dicom_spacing(images / str(image.get("file_name")))
        if value is not None:
            try:
                found[number_of(identity)] = spacing_xy(value, f"{anno_file}, image {identity}")
            except ConfigError as error:
                raise DataError(str(error)) from None
    return found


def require_spacing(found: Mapping[int, Tuple[float, float]], images: Sequence[int], source: Optional[Path]) -> None:
    """Raise if an image has no spacing.

    Raises:
        DataError: names how many of the images lack it.
    """
    missing = [number for number in images if number not in found]
    if missing:
        count = f"{len(missing)} of {len(images)} images of {source}"
        raise DataError(f"{count} state no pixel spacing, which figures in millimetres need: {ADVICE}")
