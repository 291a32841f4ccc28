"""labelme (one JSON per image), Label Studio and MPII."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any, Dict, List

from ppdet.core.errors import DataError
from ppdet.data.formats.mpii import BODY_UNIT
from ppdet.data.formats.writers.objects import NamedContent, NamedObject
from ppdet.skeletons.tables import MPII16

HIDDEN_FLAG = "hidden"
BOX_SHIFT = 15
"""Pixels per unit of `scale` by which readers of MPII move the box down from the center."""


def labelme(content: NamedContent, folder: Path, image_folder: str) -> List[str]:
    """One file per image, beside each other; shapes of one object share a `group_id`."""
    for image, objects in content.images:
        shapes: List[Dict[str, Any]] = []
        for group, each in enumerate(objects, start=1):
            if each.box is not None:
                x, y, w, h = each.box
                shapes.append(_shape(each.label, "rectangle", [[x, y], [x + w, y + h]], group, {}))
            shapes += [
                _shape(name, "point", [[x, y]], group, {HIDDEN_FLAG: v == 1}) for name, (x, y, v) in each.labelled.items()
            ]
        name = PurePosixPath(image["file_name"])
        path = folder / name.with_suffix(".json")
        up = "../" * (len(name.parts) - 1)
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, {
            "version": "5.5.0", "flags": {}, "shapes": shapes, "imagePath": f"{up}{image_folder}/{name}", "imageData": None,
            "imageHeight": image["height"], "imageWidth": image["width"],
        })  # fmt: skip
    return []


def _shape(label: str, kind: str, points: List[List[float]], group: int, flags: Dict[str, bool]) -> Dict[str, Any]:
    return {"label": label, "shape_type": kind, "points": points, "group_id": group, "flags": flags, "description": ""}


def label_studio(content: NamedContent, file: Path) -> List[str]:
    """Raw tasks with one annotation each; points belong to their box by `parentID`."""
    tasks = []
    for number, (image, objects) in enumerate(content.images, start=1):
        results: List[Dict[str, Any]] = []
        for row, each in enumerate(objects):
            results += _regions(each, f"{number}-{row}", image["width"], image["height"])
        tasks.append({
            "id": number, "data": {"image": image["file_name"]},
            "annotations": [{"id": number, "was_cancelled": False, "result": results}], "predictions": [],
        })  # fmt: skip
    _write(file, tasks)
    without = sum(each.box is None for _, objects in content.images for each in objects)
    return [f"{without} objects have no box; their extent with a margin stands for it, since points belong to "
    f"boxes"] if without else []


def _regions(each: NamedObject, key: str, width: int, height: int) -> List[Dict[str, Any]]:
    size = {"original_width": width, "original_height": height, "image_rotation": 0, "to_name": "img"}
    x, y, w, h = each.box or _extent(each)
    value = {"x": 100 * x / width, "y": 100 * y / height, "width": 100 * w / width, "height": 100 * h / height, "rotation": 0}
    box = {**value, "rectanglelabels": [each.label]}
    regions: List[Dict[str, Any]] = [{"id": key, "type": "rectanglelabels", "from_name": "box", **size, "value": box}]
    for place, (name, (px, py, v)) in enumerate(each.labelled.items()):
        point = {"x": 100 * px / width, "y": 100 * py / height, "width": 0.5, "keypointlabels": [name]}
        regions.append({
            "id": f"{key}-{place}", "parentID": key, "type": "keypointlabels", "from_name": "kp", **size, "value": point,
            "hidden": v == 1,
        })  # fmt: skip
    return regions


def _extent(each: NamedObject) -> List[float]:
    xs, ys = zip(*((x, y) for x, y, _ in each.labelled.values()))
    return [min(xs) - 1, min(ys) - 1, max(xs) - min(xs) + 2, max(ys) - min(ys) + 2]


def mpii(content: NamedContent, file: Path) -> List[str]:
    """A list of persons; joints count from 1, -1 where not labelled.

    Raises:
        DataError: a class has other keypoints than MPII's sixteen.
    """
    for label, names in content.classes.items():
        if set(names) != set(MPII16.names):
            raise DataError(
                f"MPII has the keypoints {', '.join(MPII16.names)}; class {label!r} has {', '.join(names)[:200]}. Choose "
                f"another format"
            )
    people = []
    for image, objects in content.images:
        for each in objects:
            x, y, w, h = each.box or _extent(each)
            points = [each.points[name] for name in MPII16.names]
            scale = max(w, h) / BODY_UNIT
            people.append({
                "image": image["file_name"], "center": [x + w / 2 + 1, y + h / 2 + 1 - BOX_SHIFT * scale], "scale": scale,
                "joints": [[px + 1, py + 1] if v > 0 else [-1.0, -1.0] for px, py, v in points],
                "joints_vis": [int(v > 0) for _, _, v in points],
            })  # fmt: skip
    _write(file, people)
    hidden = content.hidden()
    notes = ["MPII has no boxes but a center and a scale: boxes come back as squares"]
    return notes + ([f"MPII's JSON does not tell hidden points from visible ones: {hidden} hidden points"] if hidden else [])


def _write(path: Path, content: Any) -> None:
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(content, stream, indent=1)
