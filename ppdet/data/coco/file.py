"""Reads COCO-style JSON: the file, its images and its categories.

Persons are in coco_persons.py, boxes in coco_detection.py.
"""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set, Tuple

import numpy as np

from ppdet.core.errors import DataError
from ppdet.core.json_values import is_id, is_number
from ppdet.data.coco.person_table import ImageTable
from ppdet.data.coco.report import AnnotationReport


def read_coco(path: str) -> Dict[str, Any]:
    """The content of a COCO-style JSON file.

    Raises:
        DataError: no such file, broken JSON, or not a mapping with the lists `images` and `annotations`.
    """
    content = read_json(path, "annotation file", "check dataset_dir and anno_path")
    if not isinstance(content, dict):
        raise DataError(
            f"{path}: expected a mapping with `images` and `annotations`, found a {type(content).__name__}; "
            "is this a result file (detections)? Then give it as bbox_file"
        )
    for key in ("images", "annotations"):
        if not isinstance(content.get(key), list):
            raise DataError(
                f"{path}: no list `{key}` in it (it has: {', '.join(map(str, content)) or 'nothing'}); "
                "expected COCO's layout, see docs/data.md"
            )
    return content


def read_json(path: str, what: str, remedy: str) -> Any:
    """Parsed JSON of a file; `what` and `remedy` complete the messages.

    Raises:
        DataError: no such file or broken JSON.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except OSError as error:
        raise DataError(f"cannot read {what} {path}: {error.strerror or error}; {remedy}") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{what} {path} is not valid JSON: {error}; it may be cut short, fetch or write it again") from error


def image_table(images: Sequence[Any], folder: str, report: AnnotationReport) -> ImageTable:
    """Images of a COCO file that can be used: named, unique ids, present on the disk.

    Raises:
        DataError: not one of the image files exists.
    """
    paths: List[str] = []
    ids: List[Any] = []
    sizes: List[Tuple[int, int]] = []
    seen: Set[Any] = set()
    for position, image in enumerate(images):
        image_id = image.get("id") if isinstance(image, dict) else None
        if not is_id(image_id) or not isinstance(image.get("file_name"), str):
            report.add_bad("image without `id` or `file_name`", f"images[{position}]")
        elif image_id in seen:
            report.add_bad("repeated image id", f"image {image_id}")
        else:
            seen.add(image_id)
            paths.append(os.path.join(folder, image["file_name"]))
            ids.append(image_id)
            sizes.append((_size(image, "width"), _size(image, "height")))
    exists = files_exist(paths)
    for path in (p for p, there in zip(paths, exists) if not there):
        report.add_bad("image file missing", path)
    if paths and not any(exists):
        raise DataError(
            f"{report.source}: none of its {len(paths)} image files exists, e.g. {paths[0]}; "
            "set dataset_dir and image_dir to the folder that holds them"
        )
    kept = [i for i, there in enumerate(exists) if there]
    return ImageTable(
        [paths[i] for i in kept],
        id_array([ids[i] for i in kept]),
        np.array([sizes[i] for i in kept], np.int64).reshape(-1, 2),
    )


def listed_ids(images: Sequence[Any]) -> Set[Any]:
    """Ids of all images a file lists, also of those whose file is missing."""
    return {i["id"] for i in images if isinstance(i, dict) and is_id(i.get("id"))}


def _size(image: Mapping[str, Any], key: str) -> int:
    value: Any = image.get(key)
    return int(value) if is_number(value) and 0 < value < 2**31 else 0


def id_array(ids: Sequence[Any]) -> np.ndarray:
    """Ids as int64 where all are integers, else as strings."""
    if all(isinstance(i, int) for i in ids):
        return np.array(ids, np.int64)
    return np.array([str(i) for i in ids])


def files_exist(paths: Sequence[str]) -> List[bool]:
    """Which files exist; lists each folder once instead of asking the disk for every file."""
    folders: Dict[str, Set[str]] = {}
    result = []
    for path in paths:
        folder, name = os.path.split(path)
        if folder not in folders:
            folders[folder] = set(os.listdir(folder or ".")) if os.path.isdir(folder or ".") else set()
        result.append(name in folders[folder])
    return result


def select_categories(content: Mapping[str, Any], category: Any, source: str) -> Optional[Set[Any]]:
    """Ids of the categories whose keypoints are wanted.

    Args:
        category: None for every category that declares keypoints, or an id, a name, or a list of these.

    Returns:
        Set of ids, or None when the file declares no categories and none was asked for: then all annotations count.

    Raises:
        DataError: a wanted category is not in the file.
    """
    declared = [c for c in content.get("categories") or () if isinstance(c, dict) and is_id(c.get("id"))]
    known = {c["id"]: str(c.get("name", c["id"])) for c in declared}
    if category is None:
        return {c["id"] for c in declared if c.get("keypoints")} or None
    wanted = category if isinstance(category, (list, tuple)) else [category]
    ids = set()
    for item in wanted:
        found = [i for i, name in known.items() if item in (i, name)]
        if not found:
            listing = ", ".join(f"{i} ({name})" for i, name in known.items())
            raise DataError(f"{source}: no category {item!r}; it has: {listing or 'none'}")
        ids.update(found)
    return ids
