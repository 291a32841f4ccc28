"""Boxes of a JSON file in place of a detector, found by the images' file names.

Legend: N boxes, H W pixels.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from ppdet.annotations.coco_file import coco_content
from ppdet.annotations.layout_checks import unusual_scores
from ppdet.annotations.values import as_number
from ppdet.core.errors import DataError
from ppdet.core.json_file import read_json
from ppdet.core.logger import get_logger
from ppdet.core.problem import short_repr
from ppdet.geometry.boxes import xyxy_from_xywh
from ppdet.inference.estimators.box_source import inside_image
from ppdet.inference.estimators.detections import Detections
from ppdet.skeletons.people import PERSON_NAMES

SUFFIX = ".json"
PERSON_CATEGORY = 1  # of result files, which name no categories


class FileBoxes:
    """Boxes of people from a COCO annotation file or a COCO result file (a list, as `ppdet detect --json` writes it).

    Annotated boxes have score 1; crowd regions are left out. Result entries are found by their `file_name`, or by an `image_id`
    that is the number in the file's name (139 is 000000000139.jpg).

    Args:
        path: the file.
        category: name of the class whose boxes are wanted; None for people.

    Raises:
        DataError: it is neither, or a box is no [x, y, width, height] in pixels.
    """

    person_label = 0
    takes_paths = True

    def __init__(self, path: str | Path, category: str | None = None) -> None:
        self.path = Path(path)
        content = read_json(path, "box file", "give a COCO annotation or result file")
        if isinstance(content, list):
            by_name, self._by_id = _of_results(content, self.path)
            scores = [row[4] for rows in (*by_name.values(), *self._by_id.values()) for row in rows]
            remark = unusual_scores(scores, "the threshold of the boxes (det_threshold)")
            if remark:
                get_logger(__name__).warning("%s: %s", self.path, remark)
        elif isinstance(content, dict) and {"images", "annotations"} <= set(content):
            by_name, self._by_id = _of_annotations(coco_content(content, str(path)), self.path, category), {}
        else:
            raise DataError(f"{path} is no file of boxes: expected COCO annotations (`images` and `annotations`) or a list of "
                            "results with image_id or file_name, bbox and score")
        self._by_last_name: dict[str, list[tuple[tuple[str, ...], list[Any]]]] = {}
        for name, rows in by_name.items():
            parts = PurePath(name.replace("\\", "/")).parts
            if parts:
                self._by_last_name.setdefault(parts[-1], []).append((parts, rows))
        self._missed = False

    def detect(self, images: Sequence[np.ndarray], paths: Sequence[str | None] = ()) -> list[Detections]:
        """Boxes of images by their paths.

        Args:
            images: (H, W, 3) RGB uint8 each.
            paths: where each comes from.

        Raises:
            DataError: an image that comes from no file, or whose name the box file has in several folders.
        """
        if len(paths) != len(images) or any(path is None for path in paths):
            raise DataError(f"the boxes of {self.path} belong to image files, by name; an array or a frame of a video has none. "
                            "Give a detector, or a function that returns boxes")
        return [inside_image(self._boxes(str(path)), image, f"{self.path}, {path}") for image, path in zip(images, paths)]

    def _boxes(self, path: str) -> Detections:
        parts = Path(path).parts
        known = self._by_last_name.get(parts[-1], [])
        if len(known) > 1:
            known = [each for each in known if parts[-len(each[0]) :] == each[0]]
            if len(known) != 1:
                raise DataError(f"{self.path} has boxes of several images called {parts[-1]}, and {path} ends like "
                                f"{'several' if known else 'none'} of them: give the images by the folders that the file names")
        stem = Path(path).stem
        rows = known[0][1] if known else self._by_id.get(int(stem)) if stem.isdecimal() else None
        if rows is None and not self._missed:
            self._missed = True
            get_logger(__name__).warning("%s has no boxes of %s: nobody is looked for in it, nor in others that are missing",
                                         self.path, path)
        table = np.array(rows or np.zeros((0, 5)), np.float64)
        return Detections.from_rows(xyxy_from_xywh(table[:, :4]), table[:, 4], np.zeros(len(table)))


def _of_results(entries: list[Any], path: Path) -> tuple[dict[str, list[Any]], dict[int, list[Any]]]:
    by_name: dict[str, list[Any]] = {}
    by_id: dict[int, list[Any]] = {}
    for number, entry in enumerate(entries):
        if not isinstance(entry, Mapping) or not ({"image_id", "file_name"} & set(entry)) or "bbox" not in entry:
            raise DataError(f"{path}: entry {number} is {short_repr(entry)}; expected image_id or file_name, bbox and score")
        row = [*_box(entry["bbox"], f"{path}: entry {number}"), _score(entry.get("score", 1.0), f"{path}: entry {number}")]
        keep = as_number(entry.get("category_id", PERSON_CATEGORY)) == PERSON_CATEGORY
        name, identity = entry.get("file_name"), as_number(entry.get("image_id"))
        if isinstance(name, str) and name:
            rows = by_name.setdefault(name, [])
        elif isinstance(entry.get("image_id"), str) and identity is None:
            rows = by_name.setdefault(entry["image_id"], [])
        elif identity is not None and identity == int(identity):
            rows = by_id.setdefault(int(identity), [])
        else:
            raise DataError(f"{path}: entry {number} has neither a file_name nor a number as image_id")
        if keep:
            rows.append(row)
    if entries and not any([*by_name.values(), *by_id.values()]):
        raise DataError(f"{path}: none of its {len(entries)} entries has category_id {PERSON_CATEGORY}, which is person")
    return by_name, by_id


def _of_annotations(content: Mapping[str, Any], path: Path, category: str | None) -> dict[str, list[Any]]:
    people = _wanted_categories(content, path, category)
    names = {image["id"]: str(image.get("file_name", "")) for image in content["images"] if isinstance(image, Mapping)
             and "id" in image}  # fmt: skip
    by_name: dict[str, list[Any]] = {name: [] for name in names.values() if name}
    if not by_name and content["annotations"]:
        raise DataError(f"{path}: its images have no file_name, by which boxes are found")
    for number, entry in enumerate(content["annotations"]):
        if not isinstance(entry, Mapping) or entry.get("iscrowd") or entry.get("bbox") is None:
            continue
        name = names.get(entry.get("image_id"))
        if name and entry.get("category_id") in people:
            by_name[name].append([*_box(entry["bbox"], f"{path}: annotation {number}"), 1.0])
    return by_name


def _wanted_categories(content: Mapping[str, Any], path: Path, category: str | None) -> set[Any]:
    categories = [each for each in content.get("categories") or [] if isinstance(each, Mapping)]
    wanted = PERSON_NAMES if category is None else (category.lower(),)
    people = {each.get("id") for each in categories if str(each.get("name", "")).lower() in wanted}
    if people or len(categories) <= 1:
        return people or {each.get("id") for each in categories}
    names = ", ".join(str(each.get("name")) for each in categories[:5])
    raise DataError(f"{path}: none of its categories ({names}) is called {category or 'person'}")


def _box(box: Any, place: str) -> list[float]:
    numbers = [as_number(value) for value in box] if isinstance(box, (list, tuple)) else []
    found = [number for number in numbers if number is not None]
    if len(found) != 4 or len(numbers) != 4 or found[2] < 0 or found[3] < 0:
        raise DataError(f"{place} has bbox {short_repr(box)}; expected [x, y, width, height] in pixels")
    return found


def _score(value: Any, place: str) -> float:
    score = as_number(value)
    if score is None:
        raise DataError(f"{place} has score {short_repr(value)}; expected a number")
    return float(score)
