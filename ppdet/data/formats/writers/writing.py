"""Writes annotations in one of the known formats, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping

from ppdet.core.errors import ConfigError
from ppdet.core.files import atomic_path
from ppdet.data.formats.writers.cvat_and_yolo import cvat, yolo_pose
from ppdet.data.formats.writers.json_tools import label_studio, labelme, mpii
from ppdet.data.formats.writers.objects import NamedContent, named_content
from ppdet.data.formats.writers.table_tools import deeplabcut, sleap

FILES: Dict[str, Callable[[NamedContent, Path], List[str]]] = {
    "cvat": cvat, "deeplabcut": deeplabcut, "label-studio": label_studio, "mpii": mpii, "sleap": sleap,
}  # fmt: skip
FOLDERS: Dict[str, Callable[[NamedContent, Path, str], List[str]]] = {"labelme": labelme, "yolo-pose": yolo_pose}
FORMATS = ("coco", *sorted([*FILES, *FOLDERS]))
SUFFIXES = {"coco": ".json", "cvat": ".xml", "deeplabcut": ".csv", "label-studio": ".json", "mpii": ".json", "sleap": ".csv"}


def write_annotations(content: Mapping[str, Any], tool: str, output: Path, images: Path) -> List[str]:
    """Write a content in the form of `coco_content`.

    Args:
        content: images must have width and height.
        tool: one of `FORMATS`.
        output: file, or for labelme and YOLO-pose a folder that does not exist or is empty.
        images: folder that `file_name` of the images is relative to; labelme and YOLO-pose refer to it.

    Returns:
        Notes on what the format cannot express.

    Raises:
        ConfigError: an unknown format, another suffix than the format's, or a folder that is not empty.
        DataError: the format cannot hold this content.
    """
    if tool not in FORMATS:
        raise ConfigError(f"--to {tool}: known formats are {', '.join(FORMATS)}")
    if tool in FOLDERS:
        return _write_folder(content, tool, output, images)
    if output.suffix.lower() != SUFFIXES[tool]:
        raise ConfigError(f"{output}: a file of {tool} ends in {SUFFIXES[tool]}")
    with atomic_path(output) as temporary:
        if tool == "coco":
            temporary.write_text(json.dumps(content), encoding="utf-8")
            return []
        named = named_content(content)
        return [*named.notes, *FILES[tool](named, temporary)]


def _write_folder(content: Mapping[str, Any], tool: str, output: Path, images: Path) -> List[str]:
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise ConfigError(f"{output} exists and is not empty; {tool} writes a folder of files: give another --output")
    temporary = output.with_name(f".{output.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.tmp")
    temporary.mkdir(parents=True)
    try:
        named = named_content(content)
        relative = Path(os.path.relpath(images.resolve(), output.resolve())).as_posix()
        notes = [*named.notes, *FOLDERS[tool](named, temporary, relative)]
        if output.exists():
            output.rmdir()
        os.replace(temporary, output)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return notes
