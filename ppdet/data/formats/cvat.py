"""CVAT's XML 1.1, of images and of videos: skeletons, and boxes drawn around them.

The elements of a skeleton are found by name; their order is that of the `<labels>` in the file's head, if it has one.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict, List, Optional, Tuple
from xml.etree import ElementTree

from ppdet.core.errors import DataError
from ppdet.data.formats.annotation_set import AnnotationSet, Point

Element = ElementTree.Element
Box = List[float]


def read(path: Path, into: AnnotationSet) -> None:
    """Add the skeletons of a CVAT file.

    Raises:
        DataError: broken XML, another kind of XML, or a video whose frames are not among the images.
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
    for image in root.iter("image"):
        _read_image(image, into)
    tracks = root.findall("track")
    if tracks:
        _read_tracks(tracks, into, path)


def _declare(root: Element, into: AnnotationSet) -> None:
    for label in root.iter("label"):
        parent, name = label.findtext("parent"), label.findtext("name")
        if name and parent:
            into.declare(parent, [name])


def _read_image(image: Element, into: AnnotationSet) -> None:
    wh = [float(image.get(key) or 0) for key in ("width", "height")]
    skeletons = image.findall("skeleton")
    boxes = [(box.get("label") or "", _box(box)) for box in image.findall("box")]
    entry = into.image(image.get("name") or "", wh if all(wh) else None)
    if entry is None:
        return
    for skeleton in skeletons:
        points = _points(skeleton)
        if any(v > 0 for _, _, v in points.values()):
            label = skeleton.get("label") or "object"
            into.add(entry, label, points, _drawn_box(points, label, boxes))


def _points(skeleton: Element) -> Dict[str, Point]:
    found: Dict[str, Point] = {}
    for each in skeleton.findall("points"):
        name, places = each.get("label"), (each.get("points") or "").split(";")
        xy = places[0].split(",")
        if not name or len(xy) != 2:
            continue
        visible = 0 if each.get("outside") == "1" else 1 if each.get("occluded") == "1" else 2
        found[name] = (float(xy[0]), float(xy[1]), visible)
    return found


def _box(element: Element) -> Box:
    x1, y1, x2, y2 = (float(element.get(key) or 0) for key in ("xtl", "ytl", "xbr", "ybr"))
    return [min(x1, x2), min(y1, y2), abs(x2 - x1), abs(y2 - y1)]


def _drawn_box(points: Dict[str, Point], label: str, boxes: List[Tuple[str, Box]]) -> Optional[Box]:
    """The smallest drawn box that holds all labelled points; boxes of the skeleton's own label come first."""
    fitting = [(name != label, box[2] * box[3], box) for name, box in boxes if all(
        box[0] - 1 <= x <= box[0] + box[2] + 1 and box[1] - 1 <= y <= box[1] + box[3] + 1
        for x, y, v in points.values() if v > 0
    )]  # fmt: skip
    return min(fitting)[2] if fitting else None


def _read_tracks(tracks: List[Element], into: AnnotationSet, path: Path) -> None:
    """Frames of a video; each is the image whose name ends with its number."""
    by_number = _frames_by_number(into.index.names)
    missing = 0
    for track in tracks:
        for shape in track.findall("skeleton"):
            points = _points(shape)
            if not any(v > 0 for _, _, v in points.values()) or shape.get("outside") == "1":
                continue
            name = by_number.get(int(shape.get("frame") or 0))
            entry = None if name is None else into.image(name, video=path.stem)
            if entry is None:
                missing += 1
                continue
            into.add(entry, track.get("label") or "object", points, track_id=track.get("id"))
    if missing:
        into.notes.append(f"{missing} skeletons lie in frames of the video without an image that ends with their number "
                          "(frame_000010.png): extract the frames, or export the task as images")  # fmt: skip


def _frames_by_number(names: List[str]) -> Dict[int, str]:
    found: Dict[int, str] = {}
    for name in names:
        digits = re.findall(r"\d+", Path(name).stem)
        if digits:
            found.setdefault(int(digits[-1]), name)
    return found
