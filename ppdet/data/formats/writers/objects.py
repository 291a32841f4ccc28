"""Objects of a content in COCO's form, image by image and with named points, as writers need them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ppdet.annotations.values import are_numbers, as_id, visibility

Point = Tuple[float, float, int]


@dataclass(frozen=True)
class NamedObject:
    """One object: its class, its points by name (v 0 where not labelled), its box [x, y, w, h] or None."""

    label: str
    points: Dict[str, Point]
    box: Optional[List[float]]

    @property
    def labelled(self) -> Dict[str, Point]:
        """The labelled points."""
        return {name: point for name, point in self.points.items() if point[2] > 0}


@dataclass(frozen=True)
class NamedContent:
    """A content by images.

    Attributes:
        images: entries, each with its objects.
        classes: label -> names of keypoints, of classes with keypoints.
        links: label -> pairs of names.
        notes: what was left out.
    """

    images: List[Tuple[Mapping[str, Any], List[NamedObject]]]
    classes: Dict[str, List[str]]
    links: Dict[str, List[Tuple[str, str]]]
    notes: List[str]

    @property
    def most_objects(self) -> int:
        """Largest number of objects in an image."""
        return max((len(objects) for _, objects in self.images), default=0)

    def hidden(self) -> int:
        """Number of labelled and hidden points (v = 1)."""
        return sum(v == 1 for _, objects in self.images for each in objects for _, _, v in each.points.values())


def named_content(content: Mapping[str, Any]) -> NamedContent:
    """The objects with labelled keypoints of a content in the form of `coco_content`; crowds are left out."""
    categories = {each["id"]: each for each in content["categories"] if each.get("keypoints")}
    by_image: Dict[Any, List[NamedObject]] = {}
    left_out = 0
    for entry in content["annotations"]:
        category = categories.get(as_id(entry.get("category_id")), {}) if isinstance(entry, dict) else {}
        points = _points(entry, category["keypoints"]) if category else None
        if points is None or entry.get("iscrowd"):
            left_out += 1
            continue
        box = entry.get("bbox")
        usable = isinstance(box, list) and len(box) == 4 and are_numbers(box)
        by_image.setdefault(entry["image_id"], []).append(NamedObject(category["name"], points, box if usable else None))
    images = [(image, by_image.get(image["id"], [])) for image in content["images"]]
    classes = {each["name"]: [str(name) for name in each["keypoints"]] for each in categories.values()}
    links = {
        each["name"]: [(each["keypoints"][a - 1], each["keypoints"][b - 1]) for a, b in each.get("skeleton") or ()]
        for each in categories.values()
    }
    notes = [f"{left_out} annotations without labelled keypoints, or of crowds, are left out"] if left_out else []
    return NamedContent(images, classes, links, notes)


def _points(entry: Mapping[str, Any], names: Sequence[str]) -> Optional[Dict[str, Point]]:
    flat = entry.get("keypoints")
    if not isinstance(flat, list) or len(flat) != 3 * len(names) or not are_numbers(flat) or not any(v > 0 for v in flat[2::3]):
        return None
    return {str(name): (flat[3 * i], flat[3 * i + 1], visibility(flat[3 * i + 2])) for i, name in enumerate(names)}
