"""labelme's files (one JSON an image) to one annotation file in COCO's format.

An object is a rectangle and the points that belong to it: those of its `group_id`, else those that lie in it alone. Points are
keypoints by their label, or, where no label of an object is a keypoint's name, by their order. Legend: K keypoints.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ppdet.core.errors import DataError
from ppdet.core.json_file import read_json
from ppdet.core.json_values import is_number
from ppdet.core.problem import did_you_mean
from ppdet.skeletons import Skeleton

PROBLEMS_NAMED = 8
HIDDEN_FLAG = "hidden"
"""A flag of a point in labelme: the keypoint is labelled but cannot be seen (COCO's v = 1)."""

XY = Tuple[float, float]


@dataclass
class LabelmeObject:
    """One object of an image: its box [x, y, w, h], None without a rectangle, and its points in file order."""

    box: Optional[List[float]] = None
    points: List[Tuple[str, XY, bool]] = field(default_factory=list)


def coco_from_labelme(files: Sequence[Path], skeleton: Skeleton, category: str, image_root: Path) -> Dict[str, Any]:
    """The content of a COCO annotation file.

    Args:
        files: labelme's JSON files.
        skeleton: names the keypoints.
        category: name of the objects.
        image_root: folder that `file_name` of the images is relative to.

    Raises:
        DataError: files that are no labelme files, or points that are no keypoints; all of them are named.
    """
    images: List[Dict[str, Any]] = []
    annotations: List[Dict[str, Any]] = []
    problems: List[str] = []
    for image_id, file in enumerate(sorted(files), start=1):
        try:
            image, objects = _read(file, image_root)
            entries = [_annotation(each, skeleton) for each in objects]
        except DataError as error:
            problems.append(f"{file}: {error}")
            continue
        images.append({"id": image_id, **image})
        for entry in entries:
            annotations.append({"id": len(annotations) + 1, "image_id": image_id, "category_id": 1, "iscrowd": 0, **entry})
    if problems:
        more = f"\n  and {len(problems) - PROBLEMS_NAMED} more" if len(problems) > PROBLEMS_NAMED else ""
        raise DataError("\n  ".join(["nothing was converted:", *problems[:PROBLEMS_NAMED]]) + more)
    index = {name: number for number, name in enumerate(skeleton.names, start=1)}
    links = [[number + 1 for number in pair] for pair in skeleton.links]
    categories = [{"id": 1, "name": category, "keypoints": list(index), "skeleton": links}]
    return {"images": images, "annotations": annotations, "categories": categories}


def _read(file: Path, image_root: Path) -> Tuple[Dict[str, Any], List[LabelmeObject]]:
    content = read_json(str(file), "labelme file", "give labelme's folder")
    shapes = content.get("shapes") if isinstance(content, Mapping) else None
    if not isinstance(shapes, list) or not isinstance(content.get("imagePath"), str):
        raise DataError("not a file of labelme, which has `shapes` and `imagePath`")
    path = file.parent / content["imagePath"].replace("\\", "/")
    if not path.is_file():
        raise DataError(f"its image {path} does not exist")
    image: Dict[str, Any] = {"file_name": Path(os.path.relpath(path, image_root)).as_posix()}
    for key, source in (("width", "imageWidth"), ("height", "imageHeight")):
        if is_number(content.get(source)):
            image[key] = int(content[source])
    return image, _objects(shapes)


def _objects(shapes: Sequence[Any]) -> List[LabelmeObject]:
    boxes: List[Tuple[Any, LabelmeObject]] = []
    points: List[Tuple[Any, Tuple[str, XY, bool]]] = []
    for shape in shapes:
        kind, corners = _corners(shape)
        if kind == "rectangle":
            (left, right), (top, bottom) = (sorted(side) for side in zip(*corners))
            boxes.append((shape.get("group_id"), LabelmeObject([left, top, right - left, bottom - top])))
        else:
            hidden = bool((shape.get("flags") or {}).get(HIDDEN_FLAG))
            points.append((shape.get("group_id"), (str(shape.get("label")), corners[0], hidden)))
    objects = [each for _, each in boxes]
    if not boxes and points:
        objects = [LabelmeObject()]
        boxes = [(None, objects[0])]
    for group, point in points:
        _owner(group, point, boxes).points.append(point)
    return objects


def _corners(shape: Any) -> Tuple[str, List[XY]]:
    """Kind of a shape, and its two corners or its one place."""
    kind = shape.get("shape_type") if isinstance(shape, Mapping) else None
    if kind not in ("rectangle", "point"):
        raise DataError(f"a shape is a {kind}; only rectangles (objects) and points (keypoints) are known")
    given = shape.get("points")
    good = isinstance(given, list) and len(given) == (2 if kind == "rectangle" else 1)
    if not good or not all(isinstance(xy, list) and len(xy) == 2 and all(map(is_number, xy)) for xy in given):
        raise DataError(f"the {kind} {shape.get('label')!r} has the points {given}")
    return kind, [(xy[0], xy[1]) for xy in given]


def _owner(group: Any, point: Tuple[str, XY, bool], boxes: Sequence[Tuple[Any, LabelmeObject]]) -> LabelmeObject:
    if len(boxes) == 1:
        return boxes[0][1]
    fitting = [each for other, each in boxes if group is not None and other == group]
    fitting = fitting or [each for _, each in boxes if group is None and _inside(point[1], each.box)]
    if len(fitting) != 1:
        where = f"group {group}" if group is not None else "its place"
        raise DataError(f"the point {point[0]!r} belongs to {len(fitting)} rectangles by {where}; give both the same group_id")
    return fitting[0]


def _inside(xy: XY, box: Optional[Sequence[float]]) -> bool:
    return box is not None and box[0] <= xy[0] <= box[0] + box[2] and box[1] <= xy[1] <= box[1] + box[3]


def _annotation(each: LabelmeObject, skeleton: Skeleton) -> Dict[str, Any]:
    labels = [label for label, _, _ in each.points]
    if not set(labels) & set(skeleton.names):  # numbered, or all called alike: the order tells
        if len(labels) != skeleton.num_keypoints:
            raise DataError(
                f"an object has {len(labels)} points whose labels are no keypoints of {skeleton.name}; points without names must "
                f"be all {skeleton.num_keypoints}, in their order"
            )
        labels = list(skeleton.names)
    unknown = [label for label in labels if label not in skeleton.names]
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if unknown:
        raise DataError(f"the point {unknown[0]!r} is no keypoint of {skeleton.name}{did_you_mean(unknown[0], skeleton.names)}")
    if repeated:
        raise DataError(f"an object has two points {repeated[0]!r}; two objects need two rectangles")
    found = {label: (xy, hidden) for label, (_, xy, hidden) in zip(labels, each.points)}
    keypoints: List[float] = []
    for name in skeleton.names:
        xy, hidden = found.get(name, ((0, 0), False))
        keypoints += [*xy, (1 if hidden else 2) if name in found else 0]
    entry: Dict[str, Any] = {"keypoints": keypoints, "num_keypoints": len(found)}
    return entry if each.box is None else {"bbox": each.box, **entry}
