"""CVAT's XML 1.1, of images and of videos: skeletons, or single points, and boxes drawn around them.

The elements of a skeleton are found by name; their order is that of the `<labels>` in the file's head, if it has one. In a file
without skeletons, points are keypoints by their label: an object is a group, else the points in a box, else all of an image. A
shape of several points is an object of its own, whose keypoints are numbered.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple
from xml.etree import ElementTree

from ppdet.core.errors import DataError
from ppdet.data.formats.annotation_set import AnnotationSet, Point

Element = ElementTree.Element
Box = List[float]


def read(path: Path, into: AnnotationSet) -> None:
    """Add the skeletons or points of a CVAT file.

    Raises:
        DataError: broken XML, another kind of XML, a video whose frames are not among the images, or two points of an object with
            one label.
    """
    data = path.read_bytes()
    if b"<!ENTITY" in data or b"<!DOCTYPE" in data:
        raise DataError(f"{path}: XML with a DOCTYPE is not read; CVAT writes none")
    try:
        root = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise DataError(f"{path} is no XML that can be read: {error}; export it again as 'CVAT for images 1.1'") from error
    if root.tag != "annotations":
        raise DataError(f"{path}: expected CVAT's <annotations>, found <{root.tag}>; export as 'CVAT for images 1.1'")
    _declare(root, into)
    kind = "skeleton" if next(root.iter("skeleton"), None) is not None else "points"
    for image in root.iter("image"):
        _read_image(image, kind, into)
    tracks = root.findall("track")
    if tracks:
        _read_tracks(tracks, kind, into, path)


def _declare(root: Element, into: AnnotationSet) -> None:
    for label in root.iter("label"):
        parent, name = label.findtext("parent"), label.findtext("name")
        if name and parent:
            into.declare(parent, [name])


def _read_image(image: Element, kind: str, into: AnnotationSet) -> None:
    wh = [float(image.get(key) or 0) for key in ("width", "height")]
    shapes = [(shape.get("label") or "object", shape) for shape in image.findall(kind)]
    boxes = [(box.get("label") or "", _box(box)) for box in image.findall("box")]
    entry = into.image(image.get("name") or "", wh if all(wh) else None)
    if entry is not None:
        for label, points in _objects(shapes, kind, boxes, str(image.get("name"))):
            if any(v > 0 for _, _, v in points.values()):
                into.add(entry, label, points, _drawn_box(points, label, boxes))


def _objects(
    shapes: List[Tuple[str, Element]], kind: str, boxes: List[Tuple[str, Box]], image: str
) -> Iterator[Tuple[str, Dict[str, Point]]]:
    """Class and keypoints of each object of an image or frame."""
    if kind == "skeleton":
        yield from ((label, _points(shape)) for label, shape in shapes)
        return
    grouped: Dict[Any, Dict[str, Point]] = {}
    for label, shape in shapes:
        places = _places(shape)
        if len(places) > 1:
            yield label, {f"kp{number}": place for number, place in enumerate(places)}
        elif places:
            inside = [number for number, (_, box) in enumerate(boxes) if _holds(box, places[0])]
            key = shape.get("group_id") or (inside[0] if len(inside) == 1 else 0 if len(boxes) == 1 else None)
            if label in grouped.setdefault(key, {}):
                raise DataError(f"image {image}: an object has two points {label!r}; in CVAT, group the points of each object, "
                                "or draw a box around it")  # fmt: skip
            grouped[key][label] = places[0]
    for key, points in grouped.items():
        yield boxes[key][0] if isinstance(key, int) and boxes[key][0] else "object", points


def _points(skeleton: Element) -> Dict[str, Point]:
    found: Dict[str, Point] = {}
    for each in skeleton.findall("points"):
        name, places = each.get("label"), _places(each)
        if name and places:
            found[name] = places[0]
    return found


def _places(points: Element) -> List[Point]:
    visible = 0 if points.get("outside") == "1" else 1 if points.get("occluded") == "1" else 2
    pairs = [place.split(",") for place in (points.get("points") or "").split(";")]
    return [(float(xy[0]), float(xy[1]), visible) for xy in pairs if len(xy) == 2]


def _box(element: Element) -> Box:
    x1, y1, x2, y2 = (float(element.get(key) or 0) for key in ("xtl", "ytl", "xbr", "ybr"))
    return [min(x1, x2), min(y1, y2), abs(x2 - x1), abs(y2 - y1)]


def _drawn_box(points: Dict[str, Point], label: str, boxes: List[Tuple[str, Box]]) -> Optional[Box]:
    """The smallest drawn box that holds all labelled points; boxes of the skeleton's own label come first."""
    seen = [point for point in points.values() if point[2] > 0]
    fitting = [(name != label, box[2] * box[3], box) for name, box in boxes if all(_holds(box, point) for point in seen)]
    return min(fitting)[2] if fitting else None


def _holds(box: Box, point: Point) -> bool:
    return box[0] - 1 <= point[0] <= box[0] + box[2] + 1 and box[1] - 1 <= point[1] <= box[1] + box[3] + 1


def _read_tracks(tracks: List[Element], kind: str, into: AnnotationSet, path: Path) -> None:
    """Frames of a video; each is the image whose name ends with its number."""
    by_number = _frames_by_number(into.index.names)
    missing = 0
    frames: Dict[int, List[Tuple[str, Element, Optional[str]]]] = defaultdict(list)
    for track in tracks:
        for shape in track.findall(kind):
            if shape.get("outside") != "1":
                shape.set("group_id", shape.get("group_id") or track.get("group_id") or "")
                frames[int(shape.get("frame") or 0)].append((track.get("label") or "object", shape, track.get("id")))
    for number, shapes in frames.items():
        name = by_number.get(number)
        labelled = [(label, shape) for label, shape, _ in shapes]
        objects = list(_objects(labelled, kind, [], f"frame {number}"))
        identities = [identity for _, _, identity in shapes] if kind == "skeleton" else [None] * len(objects)
        for (label, points), identity in zip(objects, identities):
            if not any(v > 0 for _, _, v in points.values()):
                continue
            entry = None if name is None else into.image(name, video=path.stem)
            if entry is None:
                missing += 1
                continue
            more: Dict[str, Any] = {} if identity is None else {"track_id": identity}
            into.add(entry, label, points, None, **more)
    if missing:
        into.notes.append(f"{missing} objects lie in frames of the video without an image that ends with their number "
                          "(frame_000010.png): extract the frames, or export the task as images")  # fmt: skip


def _frames_by_number(names: List[str]) -> Dict[int, str]:
    found: Dict[int, str] = {}
    for name in names:
        digits = re.findall(r"\d+", Path(name).stem)
        if digits:
            found.setdefault(int(digits[-1]), name)
    return found
