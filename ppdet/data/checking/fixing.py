"""A repaired copy of an annotation file: only what has one right answer; the rest is left for people."""

from __future__ import annotations

import copy
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

import numpy as np

from ppdet.annotations.annotated_object import box_around_keypoints
from ppdet.annotations.values import are_numbers, as_id
from ppdet.data.checking.annotation_file import AnnotationFile
from ppdet.data.checking.entries import outside_image
from ppdet.data.checking.finding import Finding
from ppdet.data.checking.frames import READINGS
from ppdet.image.io import read_image_header

SAME_FACTOR = 0.01

Content = Dict[str, Any]


def fixed_content(file: AnnotationFile, findings: Sequence[Finding]) -> Tuple[Content, List[str]]:
    """The content with the fixable findings repaired.

    Args:
        file: as it was checked.
        findings: of this file.

    Returns:
        The new content, and one line per kind of repair.
    """
    content = copy.deepcopy(file.content)
    done: List[str] = []
    for name, repair in _REPAIRS.items():
        for finding in findings:
            if finding.kind.startswith(name) and finding.fix:
                done.append(f"{finding.kind}: {repair(content, finding, file)} {finding.of}: {finding.fix}")
    removals = [finding for finding in findings if finding.kind in _REMOVALS]
    dead = {position for finding in removals for position in _removed(finding, content)}
    lost = {identity for finding in removals if finding.kind in _LOST_IMAGES for identity in finding.keys}
    content["annotations"] = [each for position, each in enumerate(content["annotations"]) if position not in dead]
    content["images"] = [each for each in content["images"] if not isinstance(each, dict) or as_id(each.get("id")) not in lost]
    done += [f"{finding.kind}: {finding.count} {finding.of}: {finding.fix}" for finding in removals]
    _count_again(content)
    return content, done


_LOST_IMAGES = ("image-missing", "image-unreadable")
_REMOVALS = ("unknown-image", "duplicate-object", *_LOST_IMAGES)


def _removed(finding: Finding, content: Content) -> List[int]:
    if finding.kind in ("unknown-image", "duplicate-object"):
        return list(finding.keys)
    lost = set(finding.keys)
    return [p for p, each in enumerate(content["annotations"]) if isinstance(each, dict) and as_id(each.get("image_id")) in lost]


def _entries(content: Content, finding: Finding) -> List[Dict[str, Any]]:
    return [content["annotations"][position] for position in finding.keys]


def _drop_area(content: Content, finding: Finding, file: AnnotationFile) -> int:
    for entry in _entries(content, finding):
        entry.pop("area", None)
    return len(finding.keys)


def _box_from_keypoints(content: Content, finding: Finding, file: AnnotationFile) -> int:
    for entry in _entries(content, finding):
        box = box_around_keypoints(entry.get("keypoints"))
        entry.pop("bbox", None)
        if box is not None:
            entry["bbox"] = box
    return len(finding.keys)


def _clip_box(content: Content, finding: Finding, file: AnnotationFile) -> int:
    for entry in _entries(content, finding):
        image = file.image_by_id[entry["image_id"]]
        x, y, width, height = entry["bbox"]
        x1, y1 = max(x, 0), max(y, 0)
        x2, y2 = min(x + width, image["width"]), min(y + height, image["height"])
        box = [x1, y1, x2 - x1, y2 - y1] if x2 > x1 and y2 > y1 else box_around_keypoints(entry.get("keypoints"))
        entry.pop("bbox")
        if box is not None:
            entry["bbox"] = box
    return len(finding.keys)


def _map_points(content: Content, file: AnnotationFile, change: Callable[[np.ndarray], np.ndarray]) -> int:
    """Apply a change to the (N, K, 3) keypoints of the table; returns the number of changed points."""
    table = file.table
    current = np.array([content["annotations"][p]["keypoints"] for p in table.position.tolist()], np.float64)
    before = current.reshape(table.keypoints.shape)
    after = change(before.copy())
    for row in np.flatnonzero((before != after).any(axis=(1, 2))).tolist():
        content["annotations"][int(table.position[row])]["keypoints"] = _plain(after[row])
    return int((before != after).any(axis=-1).sum())


def _visibility_codes(content: Content, finding: Finding, file: AnnotationFile) -> int:
    def change(points: np.ndarray) -> np.ndarray:
        v = points[..., 2]
        points[..., 2] = np.where(v <= 0, 0, np.where(v == 1, 1, 2))
        points[points[..., 2] == 0] = 0
        return points

    return _map_points(content, file, change)


def _clear_ghosts(content: Content, finding: Finding, file: AnnotationFile) -> int:
    def change(points: np.ndarray) -> np.ndarray:
        points[points[..., 2] == 0] = 0
        return points

    return _map_points(content, file, change)


def _clear_origin(content: Content, finding: Finding, file: AnnotationFile) -> int:
    def change(points: np.ndarray) -> np.ndarray:
        points[(points[..., :2] == 0).all(axis=-1)] = 0
        return points

    return _map_points(content, file, change)


def _clear_outside(content: Content, finding: Finding, file: AnnotationFile) -> int:
    def change(points: np.ndarray) -> np.ndarray:
        points[outside_image(points, file.table.image_wh) & (points[..., 2] > 0)] = 0
        return points

    return _map_points(content, file, change)


def _other_frame(content: Content, finding: Finding, file: AnnotationFile) -> int:
    if finding.kind == "other-frame-fractions":
        return _from_fractions(content, str(finding.keys), file)
    reading = READINGS[str(finding.keys)]

    def change(points: np.ndarray) -> np.ndarray:
        return np.concatenate([np.where(points[..., 2:] > 0, reading(file.table), points[..., :2]), points[..., 2:]], axis=-1)

    _map_points(content, file, change)
    return len(file.table)


def _from_fractions(content: Content, what: str, file: AnnotationFile) -> int:
    if "keypoints" in what:
        size = file.table.image_wh[:, None]
        _map_points(content, file, lambda points: np.concatenate([points[..., :2] * size, points[..., 2:]], axis=-1))
    for position, (width, height) in zip(file.table.position.tolist(), file.table.image_wh.tolist()):
        entry = content["annotations"][position]
        if "boxes" in what and isinstance(entry.get("bbox"), list):
            x, y, w, h = entry["bbox"]
            entry["bbox"] = [x * width, y * height, w * width, h * height]
        if isinstance(entry.get("area"), (int, float)) and entry["area"] <= 1:
            entry["area"] *= width * height
    return len(file.table)


def _box_layout(content: Content, finding: Finding, file: AnnotationFile) -> int:
    for position in file.table.position.tolist():
        entry = content["annotations"][position]
        if isinstance(entry.get("bbox"), list) and len(entry["bbox"]) == 4 and are_numbers(entry["bbox"]):
            a, b, c, d = entry["bbox"]
            entry["bbox"] = {
                "[x1, y1, x2, y2]": [a, b, c - a, d - b],
                "[centre x, centre y, width, height]": [a - c / 2, b - d / 2, c, d],
                "[y, x, height, width]": [b, a, d, c],
                "[y1, x1, y2, x2]": [b, a, d - b, c - a],
            }[str(finding.keys)]
    return finding.count


def _renumber(content: Content, finding: Finding, file: AnnotationFile) -> int:
    for number, entry in enumerate((each for each in content["annotations"] if isinstance(each, dict)), start=1):
        entry["id"] = number
    return finding.count


def _rename(content: Content, finding: Finding, file: AnnotationFile) -> int:
    for image in content["images"]:
        if isinstance(image, dict) and as_id(image.get("id")) in finding.keys:
            image["file_name"] = finding.keys[as_id(image["id"])]
    return finding.count


def _scale_to_file(content: Content, finding: Finding, file: AnnotationFile) -> int:
    """Scale the labels of images whose two sides differ from the stated ones by the same factor."""
    factors: Dict[Any, float] = {}
    for image in content["images"]:
        if isinstance(image, dict) and as_id(image.get("id")) in set(finding.keys):
            width, height = _stored_size(file, image)
            factor = width / image["width"]
            if width and abs(height / image["height"] - factor) <= SAME_FACTOR * factor:
                factors[image["id"]] = factor
                image.update(width=width, height=height)
    for entry in content["annotations"]:
        factor = factors.get(as_id(entry.get("image_id")), 1.0) if isinstance(entry, Mapping) else 1.0
        if factor != 1.0:
            _scale(entry, factor)
    return len(factors)


def _scale(entry: Dict[str, Any], factor: float) -> None:
    keypoints = entry.get("keypoints")
    if isinstance(keypoints, list) and are_numbers(keypoints):
        entry["keypoints"] = [value if place % 3 == 2 else value * factor for place, value in enumerate(keypoints)]
    if isinstance(entry.get("bbox"), list) and are_numbers(entry["bbox"]):
        entry["bbox"] = [value * factor for value in entry["bbox"]]
    if isinstance(entry.get("area"), (int, float)):
        entry["area"] *= factor**2
    entry.pop("segmentation", None)


def _stored_size(file: AnnotationFile, image: Mapping[str, Any]) -> Tuple[int, int]:
    assert file.images is not None
    header = read_image_header(file.images / str(image["file_name"]).replace("\\", "/"))
    return (0, 0) if header is None else header.wh


def _count_again(content: Content) -> None:
    for entry in content["annotations"]:
        keypoints = entry.get("keypoints") if isinstance(entry, dict) else None
        if isinstance(keypoints, list) and are_numbers(keypoints) and len(keypoints) % 3 == 0:
            entry["num_keypoints"] = sum(v > 0 for v in keypoints[2::3])


def _plain(points: np.ndarray) -> List[Any]:
    """A flat list, with whole numbers as integers."""
    return [int(value) if float(value).is_integer() else round(float(value), 6) for value in points.reshape(-1)]


_REPAIRS: Dict[str, Callable[[Content, Finding, AnnotationFile], int]] = {
    "image-elsewhere": _rename,
    "other-frame": _other_frame,
    "box-layout": _box_layout,
    "image-size": _scale_to_file,
    "visibility-code": _visibility_codes,
    "labelled-at-origin": _clear_origin,
    "unlabelled-with-coordinates": _clear_ghosts,
    "point-outside-image": _clear_outside,
    "unreadable-box": _box_from_keypoints,
    "empty-box": _box_from_keypoints,
    "box-outside-image": _clip_box,
    "area-zero": _drop_area,
    "area-placeholder": _drop_area,
    "area-larger-than-box": _drop_area,
    "duplicate-annotation-id": _renumber,
    "num-keypoints": lambda content, finding, file: finding.count,  # `_count_again` does it
    "links-from-zero": lambda content, finding, file: finding.count,  # `coco_content` has done it
}
"""Kind -> repair, in the order in which they are applied: what concerns the whole file first."""
