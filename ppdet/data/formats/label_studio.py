"""Label Studio's raw JSON: coordinates in percent; objects are grouped by region parents or by relations."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ppdet.annotations.values import is_number
from ppdet.core.errors import DataError
from ppdet.data.formats.annotation_set import AnnotationSet, Point

DEFAULT_CLASS = "object"


def is_label_studio(content: Any) -> bool:
    """Whether a JSON file is a raw export of Label Studio."""
    return (
        isinstance(content, list)
        and bool(content)
        and all(isinstance(task, Mapping) for task in content[:5])
        and ("data" in content[0] and ("annotations" in content[0] or "completions" in content[0]))
    )


def is_json_min(content: Any) -> bool:
    """Whether a JSON file is Label Studio's JSON-MIN, which does not say which points are of one object."""
    tasks = content[:5] if isinstance(content, list) else []
    parts = [part for task in tasks if isinstance(task, Mapping) for part in task.values() if isinstance(part, list)]
    return any(isinstance(each, Mapping) and "keypointlabels" in each for part in parts for each in part)


def read(tasks: Sequence[Any], into: AnnotationSet) -> None:
    """Add the objects of all tasks; of several annotations of a task, each annotator's with `annotator` of its object.

    Raises:
        DataError: no task has been annotated.
    """
    if not any(isinstance(task, Mapping) and (task.get("annotations") or task.get("completions")) for task in tasks):
        guessed = sum(isinstance(task, Mapping) and bool(task.get("predictions")) for task in tasks)
        raise DataError(f"{into.source}: none of its {len(tasks)} tasks has annotations"
                        f"{f'; {guessed} have predictions only: accept or correct them first' if guessed else ''}")  # fmt: skip
    skipped = 0
    for task in tasks:
        name = _image_name(task.get("data"))
        done = task.get("annotations") or task.get("completions") or []
        done = [each for each in done if isinstance(each, Mapping) and not each.get("was_cancelled")]
        if name is None or not done:
            skipped += name is None
            continue
        if len(done) > 1:
            _note_once(into, "some images were labelled several times: the first annotation counts, the others serve to estimate "
                             "the sigmas")  # fmt: skip
        for number, annotation in enumerate(done):
            _read_results(annotation.get("result") or [], name, into, number)
    if skipped:
        into.notes.append(f"{skipped} tasks name no image and are left out")


def _note_once(into: AnnotationSet, text: str) -> None:
    if text not in into.notes:
        into.notes.append(text)


def _image_name(data: Any) -> Optional[str]:
    if not isinstance(data, Mapping):
        return None
    texts = [data.get("image"), data.get("img"), *data.values()]
    return next((text for text in texts if isinstance(text, str) and "." in text), None)


def _read_results(results: Sequence[Any], name: str, into: AnnotationSet, repeat: int) -> None:
    regions = {each.get("id"): each for each in results if isinstance(each, Mapping) and "value" in each}
    sizes = [[each.get("original_width"), each.get("original_height")] for each in regions.values()]
    known: List[List[Any]] = [size for size in sizes if all(map(is_number, size))]
    image = into.image(name, known[0] if known else None)
    if image is None:
        return
    wh = (image["width"], image["height"])
    relations = [each for each in results if isinstance(each, Mapping) and each.get("type") == "relation"]
    parents = {each["to_id"]: each["from_id"] for each in relations if "to_id" in each and "from_id" in each}
    boxes = {key: each for key, each in regions.items() if each.get("type") in ("rectanglelabels", "rectangle")}
    groups: Dict[Any, Dict[str, Point]] = defaultdict(dict)
    for key, each in regions.items():
        point = _point(each, wh)
        if point is None:
            continue
        owner = each.get("parentID") or parents.get(key) or _reverse(parents, key, boxes)
        if owner not in boxes:
            owner = _around(point, boxes, wh) if len(boxes) != 1 else next(iter(boxes))
        groups[owner].setdefault(_label(each), point)
    for owner, points in groups.items():
        box = _box(boxes[owner]["value"], wh) if owner in boxes else None
        label = _label(boxes[owner]) if owner in boxes else DEFAULT_CLASS
        extra = {"repeat": repeat} if repeat else {}
        into.add(image, label or DEFAULT_CLASS, points, box, **extra)


def _reverse(parents: Mapping[Any, Any], key: Any, boxes: Mapping[Any, Any]) -> Any:
    """The box that a relation leads to, if somebody drew it from the point to the box."""
    return next((child for child, parent in parents.items() if parent == key and child in boxes), None)


def _label(each: Mapping[str, Any]) -> str:
    value = each.get("value") or {}
    for key in ("keypointlabels", "rectanglelabels", "labels"):
        if isinstance(value.get(key), list) and value[key]:
            return str(value[key][0]).strip()
    return ""


def _point(each: Mapping[str, Any], wh: Sequence[float]) -> Optional[Point]:
    value = each.get("value") or {}
    if each.get("type") not in ("keypointlabels", "keypoint") or not (is_number(value.get("x")) and is_number(value.get("y"))):
        return None
    return value["x"] * wh[0] / 100, value["y"] * wh[1] / 100, 1 if each.get("hidden") or value.get("hidden") else 2


def _box(value: Mapping[str, Any], wh: Sequence[float]) -> Optional[List[float]]:
    sides = [value.get(key) for key in ("x", "y", "width", "height")]
    if not all(map(is_number, sides)) or value.get("rotation"):
        return None
    return [side * wh[number % 2] / 100 for number, side in enumerate(sides)]  # type: ignore[operator]


def _around(point: Point, boxes: Mapping[Any, Any], wh: Sequence[float]) -> Any:
    """The only box that a point lies in, else None."""
    found = []
    for key, each in boxes.items():
        box = _box(each["value"], wh)
        if box is not None and box[0] <= point[0] <= box[0] + box[2] and box[1] <= point[1] <= box[1] + box[3]:
            found.append(key)
    return found[0] if len(found) == 1 else None
