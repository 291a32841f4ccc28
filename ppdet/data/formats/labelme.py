"""labelme: one JSON per image; names of keypoints are the labels of its points.

An object is the shapes of one `group_id`. Without groups, the points inside a rectangle are its; without rectangles, all points
of an image are one object.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ppdet.annotations.values import as_number, is_number
from ppdet.core.errors import DataError
from ppdet.core.json_file import read_json
from ppdet.core.quantity import quantity
from ppdet.data.convert.embedded_images import embeds_image, extraction_advice
from ppdet.data.formats.annotation_set import HIDDEN_WORDS, AnnotationSet, Point

XY = Tuple[float, float]
DEFAULT_CLASS = "object"


def is_labelme(content: Any) -> bool:
    """Whether a JSON file is one of labelme."""
    return isinstance(content, Mapping) and isinstance(content.get("shapes"), list)


def read(files: Sequence[Path], into: AnnotationSet) -> None:
    """Add the objects of labelme files; other JSON files may lie among them.

    Raises:
        DataError: no file is one of labelme, two points of an object have the same label, or the images are only inside of the
            files.
    """
    found = embedded = 0
    for file in files:
        content = read_json(file, "labelme file", "give labelme's folder")
        if not is_labelme(content):
            continue
        found += 1
        name = str(content.get("imagePath") or file.with_suffix(".jpg").name)
        size = [as_number(content.get(key)) or 0 for key in ("imageWidth", "imageHeight")]
        image = into.image(name, size)
        if image is None:
            image = _beside(file, into, size)
        if image is None:
            embedded += embeds_image(content) and into.index.find(name) is None
            continue
        for label, points, box in _objects(content["shapes"], file):
            into.add(image, label, points, box)
    if not found:
        raise DataError(f"{into.source}: none of its JSON files ({', '.join(file.name for file in files[:5])}) is one of "
                        "labelme; if one file holds all annotations, give that file")  # fmt: skip
    if embedded:
        advice = extraction_advice(files[0].parent if Path(into.source).is_file() else Path(into.source))
        note = f"{quantity(embedded, 'image')} of labelme's files are not in {into.index.root} but embedded in these; {advice}"
        if embedded == found:
            raise DataError(f"{into.source}: {note}")
        into.notes.append(note)


def _beside(file: Path, into: AnnotationSet, size: Sequence[float]) -> Optional[Dict[str, Any]]:
    """The image that is called like the JSON file."""
    for suffix in (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"):
        if into.index.find(file.with_suffix(suffix).name):
            return into.image(file.with_suffix(suffix).name, size)
    return None


def _objects(shapes: Sequence[Any], file: Path) -> List[Tuple[str, Dict[str, Point], Optional[List[float]]]]:
    boxes: List[Tuple[Any, str, List[float]]] = []
    points: List[Tuple[Any, str, Point]] = []
    for shape in shapes:
        kind, corners = _corners(shape)
        if kind == "box":
            xs, ys = zip(*corners)
            box = [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]
            boxes.append((shape.get("group_id"), str(shape.get("label")).strip(), box))
        elif kind == "point":
            points.append((shape.get("group_id"), str(shape.get("label")).strip(), (*corners[0], 1 if _hidden(shape) else 2)))
    grouped: Dict[Any, Tuple[str, Dict[str, Point], Optional[List[float]]]] = {}
    for number, (group, label, box) in enumerate(boxes):
        grouped[("group", group) if group is not None else ("box", number)] = (label, {}, box)
    for group, name, point in points:
        key = _owner(group, point, grouped)
        _, named, _ = grouped.setdefault(key, (DEFAULT_CLASS if not boxes else boxes[0][1], {}, None))
        if name in named:
            raise DataError(
                f"{file}: an object has two points {name!r}; two objects need a group_id each, or a rectangle each around them"
            )
        named[name] = point
    return list(grouped.values())


def _owner(group: Any, point: Point, grouped: Mapping[Any, Any]) -> Any:
    if group is not None:
        return ("group", group)
    inside = [key for key, (_, _, box) in grouped.items() if box is not None and _inside(point, box)]
    boxes = [key for key, (_, _, box) in grouped.items() if box is not None]
    if len(boxes) == 1:
        return boxes[0]
    return inside[0] if len(inside) == 1 else ("group", None)


def _inside(point: Point, box: Sequence[float]) -> bool:
    return box[0] <= point[0] <= box[0] + box[2] and box[1] <= point[1] <= box[1] + box[3]


def _hidden(shape: Mapping[str, Any]) -> bool:
    flags = shape.get("flags")
    marked = isinstance(flags, Mapping) and any(flags.get(word) for word in HIDDEN_WORDS)
    return marked or str(shape.get("description") or "").strip().lower() in HIDDEN_WORDS


def _corners(shape: Any) -> Tuple[str, List[XY]]:
    """What a shape is ("box", "point", or "" for kinds without use here), and its corners."""
    given = shape.get("points") if isinstance(shape, Mapping) else None
    kind = shape.get("shape_type") if isinstance(shape, Mapping) else None
    if not isinstance(given, list) or not given or not all(map(_is_place, given)):
        return "", []
    corners = [(float(xy[0]), float(xy[1])) for xy in given]
    if kind == "point" and len(corners) == 1:
        return "point", corners
    if kind == "rectangle" and len(corners) in (2, 4) or kind in ("polygon", "oriented_rectangle") and len(corners) > 2:
        return "box", corners
    return "", []


def _is_place(xy: Any) -> bool:
    return isinstance(xy, list) and len(xy) == 2 and all(map(is_number, xy))
