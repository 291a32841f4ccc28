"""Converts labelme's files (one JSON per image) to one annotation file in COCO's format.

An object is a rectangle and the points that belong to it: those of its `group_id`, else those that lie in it alone. A point's
label is the name of its keypoint, in upper or lower case; or its number, from 1 or from 0. Only if all points of an object have
the same label does their order decide. Legend: K keypoints.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ppdet.annotations.annotated_object import SIZE_TOLERANCE
from ppdet.annotations.layout_checks import is_in_fractions
from ppdet.annotations.values import as_number, is_number
from ppdet.core.errors import DataError
from ppdet.core.json_file import read_json
from ppdet.core.problem import did_you_mean
from ppdet.data.convert.embedded_images import embeds_image, extraction_advice
from ppdet.image.io import read_image_header
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
    path = _image_path(file, content)
    image: Dict[str, Any] = {"file_name": Path(os.path.relpath(path, image_root)).as_posix()}
    for key, source in (("width", "imageWidth"), ("height", "imageHeight")):
        size = as_number(content.get(source))
        if size is not None and size > 0:
            image[key] = int(size)
    _check_size(image, path)
    return image, _objects(shapes)


def _image_path(file: Path, content: Mapping[str, Any]) -> Path:
    """The image that a file names; one of another computer is looked for beside the file."""
    name = content["imagePath"]
    path = file.parent / name.replace("\\", "/")
    beside = file.parent / PureWindowsPath(name).name
    for candidate in (path, beside):
        if os.path.isfile(candidate):
            return candidate
    advice = f"; the file embeds it: {extraction_advice(file.parent)}" if embeds_image(content) else ""
    raise DataError(f"its image {str(path)[:500]} does not exist{advice}")


def _check_size(image: Mapping[str, Any], path: Path) -> None:
    header = read_image_header(path)
    stated = (image.get("width", 0), image.get("height", 0))
    if header is None or not all(stated):
        return
    if not any(max(abs(a - b) for a, b in zip(stated, wh)) <= SIZE_TOLERANCE for wh in (header.wh, header.turned_wh)):
        raise DataError(
            f"it was labelled on an image of {stated[0]}x{stated[1]} pixels, and {path.name} has {header.turned_wh[0]}x"
            f"{header.turned_wh[1]}: give the image that was labelled"
        )


def _objects(shapes: Sequence[Any]) -> List[LabelmeObject]:
    boxes: List[Tuple[Any, LabelmeObject]] = []
    points: List[Tuple[Any, Tuple[str, XY, bool]]] = []
    for shape in shapes:
        kind, corners = _corners(shape)
        if kind == "rectangle":
            xs, ys = zip(*corners)
            box = [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]
            boxes.append((shape.get("group_id"), LabelmeObject(box)))
        else:
            flags = shape.get("flags")
            hidden = bool(flags.get(HIDDEN_FLAG)) if isinstance(flags, Mapping) else False
            points.append((shape.get("group_id"), (str(shape.get("label")), corners[0], hidden)))
    objects = [each for _, each in boxes]
    if not boxes and points:
        objects = [LabelmeObject()]
        boxes = [(None, objects[0])]
    for group, point in points:
        _owner(group, point, boxes).points.append(point)
    return objects


def _corners(shape: Any) -> Tuple[str, List[XY]]:
    """Kind of a shape, and its corners (two, or four as X-AnyLabeling writes them) or its one place."""
    kind = shape.get("shape_type") if isinstance(shape, Mapping) else None
    if kind not in ("rectangle", "point"):
        raise DataError(f"a shape is a {str(kind)[:40]}; only rectangles (objects) and points (keypoints) are known")
    given = shape.get("points")
    good = isinstance(given, list) and len(given) in ((2, 4) if kind == "rectangle" else (1,))
    if not good or not all(isinstance(xy, list) and len(xy) == 2 and all(map(is_number, xy)) for xy in given):
        raise DataError(f"the {kind} {str(shape.get('label'))[:40]!r} has the points {str(given)[:200]}")
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
    labels = _names([label for label, _, _ in each.points], skeleton)
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
    if is_in_fractions(keypoints):
        raise DataError("its points are fractions of the image, from 0 to 1; expected pixels")
    entry: Dict[str, Any] = {"keypoints": keypoints, "num_keypoints": len(found)}
    return entry if each.box is None else {"bbox": each.box, **entry}


def _names(labels: Sequence[str], skeleton: Skeleton) -> List[str]:
    """Names of keypoints that labels mean; a label that means none stays as it is."""
    plain = {_plain(name): name for name in skeleton.names}
    if len(plain) == skeleton.num_keypoints and any(_plain(label) in plain for label in labels):
        return [label if label in skeleton.names else plain.get(_plain(label), label) for label in labels]
    if set(labels) & set(skeleton.names) or not labels:
        return list(labels)
    numbers = [int(label) if label.isdecimal() and len(label) < 6 else -1 for label in map(str.strip, labels)]
    if min(numbers) >= 0:
        return _numbered(numbers, skeleton)
    if len(set(labels)) > 1 or len(labels) != skeleton.num_keypoints:
        raise DataError(
            f"an object has {len(labels)} points whose labels are no keypoints of {skeleton.name} ({', '.join(labels)[:80]}); "
            f"name them {', '.join(skeleton.names)[:200]}, or number them from 1. Points that are all called alike must be all "
            f"{skeleton.num_keypoints}, in their order"
        )
    return list(skeleton.names)


def _numbered(numbers: Sequence[int], skeleton: Skeleton) -> List[str]:
    count = skeleton.num_keypoints
    first = 0 if 0 in numbers else 1
    if max(numbers) - first >= count or not {0, count} & set(numbers):
        raise DataError(
            f"an object has {len(numbers)} points whose labels are no keypoints of {skeleton.name} but numbers from "
            f"{min(numbers)} to {max(numbers)}: from 0 or from 1 is open for {count} keypoints; use names"
        )
    return [skeleton.names[number - first] for number in numbers]


def _plain(label: str) -> str:
    return "_".join(label.strip().lower().replace("-", " ").replace("_", " ").split())
