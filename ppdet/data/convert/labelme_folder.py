"""A folder of labelme's files as one annotation file, or as two: for training and for validation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import List, Sequence

import numpy as np

from ppdet.core.errors import ConfigError, DataError
from ppdet.core.files import atomic_write
from ppdet.core.logger import get_logger
from ppdet.core.quantity import quantity
from ppdet.data.convert.labelme import coco_from_labelme
from ppdet.skeletons import Skeleton

logger = get_logger(__name__)

VAL_FILE = "val.json"


def convert_folder(
    folder: Path, output: Path, skeleton: Skeleton, category: str, image_root: Path, val: float = 0.0, seed: int = 42
) -> List[Path]:
    """Convert all JSON files below a folder, or none.

    Args:
        folder: of labelme's files.
        output: annotation file to write.
        skeleton, category, image_root: see `coco_from_labelme`.
        val: share of the images that goes into `val.json` beside `output`.
        seed: of the choice of these.

    Returns:
        The files written.

    Raises:
        ConfigError: a share that leaves one of the files empty, or `output` called like the other file.
        DataError: no files there, or some that cannot be converted.
    """
    files = sorted(path for path in folder.rglob("*.json") if path.resolve() not in (output.resolve(), _val(output).resolve()))
    if not files:
        raise DataError(f"{folder} has no JSON files: give the folder that labelme saved to")
    parts = {output: files}
    if val:
        count = round(val * len(files))
        if not 0 < count < len(files) or output.name == VAL_FILE:
            raise ConfigError(
                f"--val {val:g} of {len(files)} files into {_val(output)}: each of the two files needs an image and its own name"
            )
        chosen = set(np.random.default_rng(seed).permutation(len(files))[:count].tolist())
        parts = {
            output: [file for number, file in enumerate(files) if number not in chosen],
            _val(output): [file for number, file in enumerate(files) if number in chosen],
        }
    contents = {path: coco_from_labelme(each, skeleton, category, image_root) for path, each in parts.items()}
    for path, content in contents.items():
        _write(path, content["images"], content["annotations"], content)
    return list(parts)


def _val(output: Path) -> Path:
    return output.with_name(VAL_FILE)


def _write(path: Path, images: Sequence[object], annotations: Sequence[object], content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path, "w") as file:
        json.dump(content, file)
    logger.info("%s with %s written to %s", quantity(len(images), "image"), quantity(len(annotations), "object"), path)
