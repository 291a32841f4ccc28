"""Images of COCO-style files: which of them are there.

Persons are in persons.py, boxes of detectors in detections.py.
"""

from __future__ import annotations

import os
from pathlib import PureWindowsPath
from typing import Any, Dict, List, Sequence, Set, Tuple

import numpy as np

from ppdet.annotations.coco_file import read_coco, select_categories
from ppdet.annotations.values import as_id
from ppdet.core.errors import DataError, MediaError
from ppdet.data.coco.person_table import ImageTable
from ppdet.data.coco.report import AnnotationReport
from ppdet.image.io import read_image

__all__ = ["files_exist", "id_array", "image_table", "listed_ids", "read_coco", "select_categories", "with_sizes"]

INT64_LIMIT = 2**63


def image_table(images: Sequence[Any], folder: str, report: AnnotationReport) -> ImageTable:
    """Images of a COCO file that can be used: named, unique ids, present on the disk.

    Args:
        images: as `read_coco` returns them.
        folder: file names are relative to it. Backslashes in them (written on Windows) are folders where that finds a file.
        report: takes what cannot be used.

    Raises:
        DataError: not one of the image files exists.
    """
    names: List[str] = []
    ids: List[Any] = []
    sizes: List[Tuple[int, int]] = []
    seen: Set[str] = set()
    for position, image in enumerate(images):
        image_id = as_id(image.get("id")) if isinstance(image, dict) else None
        if image_id is None or not isinstance(image.get("file_name"), str):
            report.add_bad("image without `id` or `file_name`", f"images[{position}]")
        elif not _is_file_name(image["file_name"]):
            report.add_bad("image with a `file_name` that no file can have", f"images[{position}]")
        elif str(image_id) in seen:
            report.add_bad("repeated image id", f"image {image_id}")
        else:
            seen.add(str(image_id))
            names.append(image["file_name"])
            ids.append(image_id)
            sizes.append((image.get("width") or 0, image.get("height") or 0))
    paths, exists = _find(folder, names)
    for path in (p for p, there in zip(paths, exists) if not there):
        report.add_bad("image file missing", path)
    if paths and not any(exists):
        raise DataError(
            f"{report.source}: none of its {len(paths)} image files exists, e.g. {paths[0]}; {_advice(folder, names[0])}"
        )
    kept = [i for i, there in enumerate(exists) if there]
    return ImageTable(
        [paths[i] for i in kept],
        id_array([ids[i] for i in kept]),
        np.array([sizes[i] for i in kept], np.int64).reshape(-1, 2),
    )


def _advice(folder: str, name: str) -> str:
    """What to do if no image is found: names of another computer are shortened, otherwise the folder is wrong."""
    last = PureWindowsPath(name).name
    if last != name and files_exist([os.path.join(folder, last)])[0]:
        return f"{last} lies in {folder or '.'}: write `file_name` without the folders of another computer"
    return "set dataset_dir and image_dir to the folder that holds them"


def with_sizes(images: ImageTable) -> ImageTable:
    """The table with the sizes of all images, read from those whose size the annotation file does not give.

    Images that cannot be read keep 0 x 0.
    """
    wh = images.wh.copy()
    for row in np.flatnonzero((wh <= 0).any(axis=1)).tolist():
        try:
            wh[row] = read_image(images.paths[row]).shape[1::-1]
        except MediaError:
            wh[row] = 0  # its persons have no box, which is reported
    return ImageTable(images.paths, images.ids, wh)


def _is_file_name(name: str) -> bool:
    """Whether a file can be called so: not empty, no null byte, no half of a surrogate pair."""
    try:
        return bool(name) and b"\0" not in name.encode("utf-8")
    except UnicodeEncodeError:
        return False


def _find(folder: str, names: Sequence[str]) -> Tuple[List[str], List[bool]]:
    paths = [os.path.join(folder, name) for name in names]
    exists = files_exist(paths)
    turned = [i for i, there in enumerate(exists) if not there and "\\" in names[i]]
    other = [os.path.join(folder, names[i].replace("\\", "/")) for i in turned]
    for i, path, there in zip(turned, other, files_exist(other)):
        if there:
            paths[i], exists[i] = path, True
    return paths, exists


def listed_ids(images: Sequence[Any]) -> Set[Any]:
    """Ids of all images a file lists, also of those whose file is missing."""
    return {image["id"] for image in images if isinstance(image, dict) and as_id(image.get("id")) is not None}


def id_array(ids: Sequence[Any]) -> np.ndarray:
    """Ids as int64 where all are integers that fit, else as strings."""
    if all(isinstance(i, int) and -INT64_LIMIT <= i < INT64_LIMIT for i in ids):
        return np.array(ids, np.int64)
    return np.array([str(i) for i in ids])


def files_exist(paths: Sequence[str]) -> List[bool]:
    """Which paths are regular files; lists each folder once instead of asking the disk for every file."""
    folders: Dict[str, Set[str]] = {}
    result = []
    for path in paths:
        folder, name = os.path.split(path)
        if folder not in folders:
            folders[folder] = _files_of(folder or ".")
        result.append(name in folders[folder])
    return result


def _files_of(folder: str) -> Set[str]:
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries if entry.is_file()}
    except (OSError, ValueError):  # no such folder, or a name that no folder can have
        return set()
