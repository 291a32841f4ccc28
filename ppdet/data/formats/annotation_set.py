"""Collects what a labelling tool's file says, and gives it as a COCO annotation file.

Legend: K keypoints.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ppdet.annotations.values import is_number
from ppdet.core.errors import DataError
from ppdet.data.formats.image_index import ImageIndex

Point = Tuple[float, float, int]
"""x, y in pixels and COCO's visibility: 0 not labelled, 1 hidden, 2 visible."""

HIDDEN_WORDS = ("hidden", "occluded", "invisible")
NAMED = 5


class AnnotationSet:
    """Images, classes and objects, in the order in which they are added.

    Keypoints are added by name; a class has the names that it was declared with, then new ones as objects bring them.

    Args:
        source: the file that is read, for messages.
        images: where the images are.
        turned: whether the tool shows images as their EXIF orientation says (labels refer to the turned image).
    """

    def __init__(self, source: str, images: ImageIndex, turned: bool = False) -> None:
        self.source, self.index, self.turned = source, images, turned
        self.notes: List[str] = []
        self._images: Dict[str, Dict[str, Any]] = {}
        self._classes: Dict[str, Dict[str, Any]] = {}
        self._objects: List[Dict[str, Any]] = []
        self._missing: Counter[str] = Counter()
        self._unreadable: List[str] = []
        self._resized: Dict[str, str] = {}

    def image(self, name: str, wh: Optional[Sequence[float]] = None, **more: Any) -> Optional[Dict[str, Any]]:
        """The entry of an image, `{"id", "file_name", "width", "height"}`; None, and counted, if its file is not there or is not
        of the size that was labelled.

        Args:
            name: as the tool writes it.
            wh: size that the labels refer to; None takes the file's.
            more: further keys of the entry, such as `video`.
        """
        found = self.index.find(name)
        if found is None:
            self._missing[name] += 1
            return None
        if found in self._images:
            return self._images[found]
        size = self.index.size(found, self.turned)
        if size is None:
            self._unreadable.append(found)
            return None
        other = None if wh is None else self.index.other_size(found, wh)
        if other is not None:
            self._resized[found] = other
            return None
        if wh is not None and all(is_number(side) and side > 0 for side in wh):
            size = (int(wh[0]), int(wh[1]))
        entry = {"id": len(self._images) + 1, "file_name": found, "width": size[0], "height": size[1], **more}
        self._images[found] = entry
        return entry

    def declare(self, label: str, names: Sequence[str] = (), links: Sequence[Sequence[str]] = ()) -> None:
        """A class with its keypoints and links by name; repeating it adds what is new."""
        kind = self._classes.setdefault(label, {"names": {}, "links": []})
        for name in names:
            kind["names"].setdefault(name, len(kind["names"]))
        kind["links"] += [list(pair) for pair in links if list(pair) not in kind["links"]]

    def add(self, image: Mapping[str, Any], label: str, points: Mapping[str, Point],
            box: Optional[Sequence[float]] = None, **more: Any) -> None:  # fmt: skip
        """An object of an image.

        Args:
            image: as `image` returned it.
            label: its class.
            points: keypoints by name; those that are left out are not labelled.
            box: x, y, width, height in pixels; None if the tool has none.
            more: further keys of the annotation.
        """
        self.declare(label, list(points))
        extra = {} if box is None else {"bbox": [round(float(value), 3) for value in box]}
        self._objects.append({"image_id": image["id"], "label": label, "points": dict(points), **extra, **more})

    def content(self) -> Dict[str, Any]:
        """A COCO annotation file, as `coco_file.coco_content` reads it.

        Raises:
            DataError: no image of the annotations is there, no object is left, or none has a keypoint.
        """
        if self._missing:
            self.notes.append(
                f"{len(self._missing)} annotated images are not in {self.index.root} and are left out: {_some(self._missing)}"
            )
        if self._unreadable:
            self.notes.append(f"{len(self._unreadable)} images cannot be read and are left out: {_some(self._unreadable)}")
        if self._resized:
            self.notes.append(
                f"{len(self._resized)} images have another size than the one that was labelled and are left out; give the "
                f"labelled ones as --images: {_some([f'{name} ({text})' for name, text in self._resized.items()])}"
            )
        if not self._images and self._resized:
            raise DataError(f"{self.source}: {self.notes[-1]}")
        if not self._images and not self._missing and not self._unreadable and self.notes:
            raise DataError(f"{self.source}: no object is left; {'; '.join(self.notes)}")
        if not self._images:
            raise DataError(
                f"{self.source}: none of its images ({_some(self._missing or self._unreadable) or 'it names none'}) is among the "
                f"{len(self.index.names)} images in {self.index.root}; give their folder as --images"
            )
        if not any(kind["names"] for kind in self._classes.values()):
            raise DataError(f"{self.source}: no object in it has a keypoint, only boxes or nothing; label points, too")
        ids = {label: number for number, label in enumerate(self._classes, start=1)}
        categories = [
            {"id": ids[label], "name": label, "keypoints": list(kind["names"]), "skeleton": _links(kind)}
            for label, kind in self._classes.items()
        ]
        annotations = [self._annotation(number, each, ids) for number, each in enumerate(self._objects, start=1)]
        return {"images": list(self._images.values()), "annotations": annotations, "categories": categories}

    def _annotation(self, number: int, each: Mapping[str, Any], ids: Mapping[str, int]) -> Dict[str, Any]:
        flat: List[float] = []
        for name in self._classes[each["label"]]["names"]:
            x, y, v = each["points"].get(name, (0, 0, 0))
            flat += [round(float(x), 4), round(float(y), 4), int(v)] if v > 0 else [0, 0, 0]
        rest = {key: value for key, value in each.items() if key not in ("label", "points")}
        count = sum(v > 0 for v in flat[2::3])
        return {"id": number, "category_id": ids[each["label"]], "iscrowd": 0, "keypoints": flat, "num_keypoints": count, **rest}


def _links(kind: Mapping[str, Any]) -> List[List[int]]:
    names = kind["names"]
    return [[names[a] + 1, names[b] + 1] for a, b in kind["links"] if a in names and b in names and a != b]


def _some(names: Any) -> str:
    listed = [str(name)[:80] for name in list(names)[:NAMED]]
    return ", ".join(listed) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
