"""DeepLabCut and SLEAP: tables with a row per image, or per instance."""

from __future__ import annotations

import csv
import re
from pathlib import Path, PurePosixPath
from typing import List, Sequence

from ppdet.core.errors import DataError
from ppdet.data.formats.writers.objects import NamedContent, NamedObject

SCORER = "ppdet"


def deeplabcut(content: NamedContent, file: Path) -> List[str]:
    """`CollectedData` CSV; three header rows for one animal per image, four for several.

    Raises:
        DataError: there are several classes.
    """
    (names,) = _only_class(content, "DeepLabCut")
    several = content.most_objects > 1
    animals = [f"animal{number}" for number in range(1, content.most_objects + 1)]
    columns = [(animal, name, axis) for animal in animals for name in names for axis in "xy"]
    with open(file, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["scorer", *[SCORER] * len(columns)])
        if several:
            writer.writerow(["individuals", *(animal for animal, _, _ in columns)])
        writer.writerow(["bodyparts", *(name for _, name, _ in columns)])
        writer.writerow(["coords", *(axis for _, _, axis in columns)])
        for image, objects in content.images:
            if objects:
                cells = [cell for row in range(len(animals)) for cell in _cells(objects, row, names)]
                writer.writerow([image["file_name"], *cells])
    return _lost(content, "DeepLabCut")


def sleap(content: NamedContent, file: Path) -> List[str]:
    """Analysis CSV: a row per instance, frames by the last number of the image's name.

    Raises:
        DataError: there are several classes, or two images whose names end with the same number.
    """
    (names,) = _only_class(content, "SLEAP")
    seen: dict[int, str] = {}
    with open(file, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        columns = [f"{name}.{part}" for name in names for part in ("x", "y", "score")]
        writer.writerow(["track", "frame_idx", "instance.score", *columns])
        for image, objects in content.images:
            if not objects:
                continue
            frame = _frame_number(image["file_name"])
            if frame in seen:
                raise DataError(
                    f"SLEAP's CSV names frames by number, and {seen[frame]} and {image['file_name']} both end with "
                    f"{frame}: choose another format"
                )
            seen[frame] = image["file_name"]
            for number, each in enumerate(objects):
                cells = [value for name in names for value in _xy(each, name, ["1.0"])]
                writer.writerow([f"track_{number}", frame, 1.0, *cells])
    return _lost(content, "SLEAP")


def _only_class(content: NamedContent, tool: str) -> List[List[str]]:
    used = {each.label for _, objects in content.images for each in objects}
    if len(used) != 1:
        raise DataError(f"{tool} has one class of animals, this file has {len(used)} ({', '.join(sorted(used))}): choose "
        f"one with --category")
    return [content.classes[used.pop()]]


def _cells(objects: Sequence[NamedObject], row: int, names: Sequence[str]) -> List[str]:
    if row >= len(objects):
        return [""] * (2 * len(names))
    return [cell for name in names for cell in _xy(objects[row], name, [])]


def _xy(each: NamedObject, name: str, more: Sequence[str]) -> List[str]:
    x, y, v = each.points[name]
    return [f"{x:.4f}", f"{y:.4f}", *more] if v > 0 else ["", "", *([""] * len(more))]


def _frame_number(name: str) -> int:
    digits = re.findall(r"\d+", PurePosixPath(name).stem)
    if not digits:
        raise DataError(f"SLEAP's CSV names frames by number, and {name} has none: choose another format")
    return int(digits[-1])


def _lost(content: NamedContent, tool: str) -> List[str]:
    notes = [f"{tool} has no boxes: they are left out"] if any(o.box for _, objects in content.images for o in objects) else []
    hidden = content.hidden()
    return notes + ([f"{tool} does not tell hidden points from visible ones: {hidden} hidden points become "
    f"visible"] if hidden else [])
