"""Reads a COCO annotation file for evaluation, and completes what pycocotools needs.

pycocotools assumes `area`, `bbox`, `iscrowd` and `num_keypoints` in every annotation. Files of labelling tools often lack some
of them or contain a placeholder (area 1), which gives an AP of 0 or a KeyError. It also assumes unique annotation ids from 1
on: of annotations with the same id it compares only one, several times. It confuses image and category ids that are strings or
of mixed types. All of that is repaired here: pycocotools gets numbers for images and categories, objects that a dataset would
skip are ignored, and every kind of repair is counted and reported.
"""

from __future__ import annotations

import contextlib
import io
from collections import Counter
from pathlib import Path
from typing import Any, Mapping, Sequence

import numpy as np

from ppdet.annotations.annotated_object import (
    AREA_PER_BOX,
    SMALLEST_AREA_PER_BOX,
    box_around_keypoints,
    is_labelled,
    unusable,
)
from ppdet.annotations.coco_file import read_coco, select_categories
from ppdet.annotations.layout_checks import listed_twice
from ppdet.annotations.values import Id, IdIndex, are_numbers, as_id, is_number
from ppdet.core.errors import DataError

IGNORED = "ignored in the figures, since a dataset leaves them out"
POSE_CATEGORY = 1
"""Keypoint AP evaluates the objects of all selected categories as one category."""
NO_CATEGORY = 1
"""Category in result files if the annotation file has none: COCO's person."""


class CocoGroundTruth:
    """A COCO annotation file, completed and indexed for pycocotools.

    Args:
        anno_file: path of the JSON file.
        num_keypoints: number of keypoints of each labelled object; None for box evaluation.
        areas: take objects' areas from the file; False for protocols that use `AREA_PER_BOX` of the box for every object.
        category: for keypoints: id or name (or a list) of the categories to evaluate; default all that declare keypoints. They
            are evaluated as one category, so that figures do not depend on the division into categories.

    Attributes:
        coco: the indexed `pycocotools.coco.COCO` object. Its images are `image_numbers`, its categories `POSE_CATEGORY`, or for
            boxes rows of `category_ids` counted from 1.
        image_numbers: number of each of `image_ids` in `coco`.
        image_ids: ids (numbers or strings) of the images in file order.
        category_ids: ids of the file's categories in file order.
        evaluated: ids of the categories that are evaluated.
        notes: sentences on what was completed; empty for a complete file.

    Raises:
        DataError: the file is missing or not COCO, a category does not exist, or all labelled objects have another number of
            keypoints.
    """

    def __init__(
        self, anno_file: str | Path, num_keypoints: int | None = None, areas: bool = True, category: Any = None
    ) -> None:
        self.path = Path(anno_file)
        self.num_keypoints, self.areas = num_keypoints, areas
        self.notes: list[str] = []
        data = read_coco(self.path)
        images = _unique_images(data["images"])
        self.image_ids: list[Id] = [image["id"] for image in images]
        self._ids = IdIndex(self.image_ids)
        self._rows = {image_id: row for row, image_id in enumerate(self.image_ids)}
        self.image_numbers = _numbers(self.image_ids)
        self.category_ids: list[Id] = [each["id"] for each in data["categories"]]
        self.category_names: dict[Id, str] = {each["id"]: each["name"] for each in data["categories"]}
        self._categories = IdIndex(self.category_ids)
        wanted = None if num_keypoints is None else select_categories(data, category, str(self.path))
        self.evaluated = [each for each in self.category_ids if wanted is None or each in wanted]
        self.coco = _index(images, self.image_numbers, self._complete(data["annotations"], images, wanted))

    def image_rows(self, image_ids: Any) -> np.ndarray:
        """(B,) int64 positions in `image_ids` of (B,) ids. Ids may be strings; positions can be sent between processes.

        Raises:
            DataError: an id is not in the file.
        """
        asked = np.asarray(image_ids).reshape(-1).tolist() if isinstance(image_ids, np.ndarray) else list(image_ids)
        found = [self._ids.find(each) for each in asked]
        unknown = [each for each, known in zip(asked, found) if known is None]
        if unknown:
            raise DataError(
                f"predictions for image ids {unknown[:5]} that {self.path} does not have. Evaluate on the "
                "data set that the annotation file describes."
            )
        return np.array([self._rows[known] for known in found if known is not None], np.int64)

    def category_of(self, row: int) -> Id:
        """Id of the category in a row of the file's list; for negative rows the first evaluated category."""
        if 0 <= row < len(self.category_ids):
            return self.category_ids[row]
        return self.evaluated[0] if self.evaluated else NO_CATEGORY

    def category_number(self, category: Any) -> int:
        """Number of a category in pycocotools; 0 if its objects are not evaluated.

        For keypoints, undeclared categories count as evaluated, because other programs write their own category numbers to
        result files.
        """
        found = self._categories.find(category)
        if self.num_keypoints is None:
            return 0 if found is None else self.category_ids.index(found) + 1
        return POSE_CATEGORY if found is None or found in self.evaluated else 0

    def for_coco(self, results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Result entries with the image and category numbers of `coco`; entries of other categories are left out.

        Raises:
            DataError: an image id is not in the file, or an entry lacks the values to compare.
        """
        for position, entry in enumerate(results):
            self._check_result(entry, position)
        rows = self.image_rows([entry["image_id"] for entry in results]).tolist()
        numbers = [self.category_number(entry.get("category_id")) for entry in results]
        key = "bbox" if self.num_keypoints is None else "keypoints"  # no other key: pycocotools would compute areas from it
        return [
            {"image_id": self.image_numbers[row], "category_id": number, key: entry[key], "score": entry["score"]}
            for entry, row, number in zip(results, rows, numbers)
            if number
        ]

    def _check_result(self, entry: Mapping[str, Any], position: int) -> None:
        key, length = ("bbox", 4) if self.num_keypoints is None else ("keypoints", 3 * self.num_keypoints)
        values = entry.get(key)
        if not isinstance(values, list) or len(values) != length or not are_numbers([*values, entry.get("score")]):
            raise DataError(
                f"result [{position}] (image {str(entry.get('image_id'))[:40]}) has no `score`, or no `{key}` of {length} finite "
                f"numbers, as {self.path} needs; evaluate again to write the file anew"
            )

    def _complete(
        self, annotations: Sequence[Any], images: Sequence[Mapping[str, Any]], wanted: set[Any] | None
    ) -> list[dict[str, Any]]:
        repairs: Counter[str] = Counter()
        complete = _Completion(self.num_keypoints, self.areas, repairs)
        kept = []
        for annotation in annotations:
            problem = self._problem(annotation)
            if problem:
                repairs[f"{problem}, left out"] += 1
                continue
            number = self._number_of(annotation.get("category_id"), wanted)
            if number:
                row = self._rows[annotation["image_id"]]
                annotation["image_id"], annotation["category_id"] = self.image_numbers[row], number
                complete(annotation, images[row])
                kept.append(annotation)
        if complete.other_lengths and not complete.labelled:
            length = complete.other_lengths.most_common(1)[0][0]
            raise DataError(
                f"{self.path}: annotation {complete.first_other} has {length} keypoint values, expected "
                f"3 x {self.num_keypoints}. Set `skeleton`/`num_joints` to what the file holds, or give another file."
            )
        ids = Counter(str(annotation["id"]) for annotation in kept if annotation.get("id") is not None)
        repairs["that share their `id` with another, numbered anew"] += sum(count for count in ids.values() if count > 1)
        repairs["without `id`, numbered"] += len(kept) - sum(ids.values())
        self._count_repeated(kept, repairs)
        for number, annotation in enumerate(kept, start=1):  # from 1, because pycocotools treats a match with id 0 as no match
            annotation["id"] = number
        self.notes = [f"{self.path.name}: {count} object(s) {what}" for what, count in repairs.items() if count]
        return kept

    def _problem(self, annotation: Any) -> str:
        if not isinstance(annotation, dict) or as_id(annotation.get("image_id")) is None:
            return "without image_id"
        if annotation["image_id"] not in self._rows:
            return "on an image that the file does not list"
        if annotation.get("iscrowd") not in (0, 1):
            return "with an `iscrowd` that is neither 0 nor 1"
        category = annotation.get("category_id")
        return "with a `category_id` that is no id" if category is not None and as_id(category) is None else ""

    def _number_of(self, category: Any, wanted: set[Any] | None) -> int:
        """`category_number` of an annotation; annotations without a category are evaluated."""
        if self.num_keypoints is not None:
            return POSE_CATEGORY if category is None or wanted is None or category in wanted else 0
        if category is None:
            return 1 if len(self.category_ids) < 2 else 0
        return self.category_number(category)

    def _count_repeated(self, kept: Sequence[Mapping[str, Any]], repairs: Counter[str]) -> None:
        counted = [each for each in kept if self.num_keypoints and each["num_keypoints"] and not each["iscrowd"]]
        if counted:
            keypoints = np.array([each["keypoints"] for each in counted], np.float64).reshape(len(counted), -1, 3)
            keypoints[keypoints[..., 2] <= 0] = 0
            side = np.array([max(each["bbox"][2:]) for each in counted], np.float64)
            pairs = listed_twice(np.array([each["image_id"] for each in counted]), keypoints, side)
            repairs["listed twice: the second counts as missed, which can halve AP; remove it"] += len(pairs)


class _Completion:
    """Completes annotations for pycocotools, in place, one per call."""

    def __init__(self, num_keypoints: int | None, areas: bool, repairs: Counter[str]) -> None:
        self.num_keypoints, self.areas, self.repairs = num_keypoints, areas, repairs
        self.labelled = 0
        self.other_lengths: Counter[int] = Counter()
        self.first_other: Any = None

    def __call__(self, annotation: dict[str, Any], image: Mapping[str, Any]) -> None:
        if not self.areas:
            annotation["area"] = None
        box_filled = annotation.get("bbox") is None
        if box_filled:
            annotation["bbox"] = box_around_keypoints(annotation.get("keypoints"))
        reason = None if self.num_keypoints is None else self._judge_keypoints(annotation, image, self.num_keypoints)
        if reason is not None:
            self.repairs[f"{reason}: {IGNORED}"] += 1
            annotation["area"] = None
        elif box_filled and annotation["bbox"] is not None:
            self.repairs["without box: taken from the extent of their keypoints"] += 1
        self._complete_area(annotation, counted=self.areas and reason is None)

    def _judge_keypoints(self, annotation: dict[str, Any], image: Mapping[str, Any], count: int) -> str | None:
        """Set `num_keypoints`; objects that cannot be matched are treated as having no labelled keypoints."""
        reason = None
        labelled = is_labelled(annotation)
        keypoints = annotation.get("keypoints")
        if isinstance(keypoints, str) and not annotation["iscrowd"]:
            reason = keypoints  # the reason, see `coco_content`
        elif labelled and not annotation["iscrowd"]:
            size = (image.get("width") or 0, image.get("height") or 0)
            reason = unusable(annotation["bbox"], keypoints, annotation.get("area"), count, size)
            if annotation["bbox"] is None:
                reason = reason and "without a box, and with keypoints that span none"
            if len(annotation["keypoints"]) != 3 * count:
                self.other_lengths[len(annotation["keypoints"])] += 1
                self.first_other = annotation.get("id") if self.first_other is None else self.first_other
        if not labelled or reason or len(annotation["keypoints"]) != 3 * count:
            annotation["keypoints"] = [0] * (3 * count)
        annotation["num_keypoints"] = sum(1 for visible in annotation["keypoints"][2::3] if visible > 0)
        self.labelled += annotation["num_keypoints"] > 0
        return reason

    def _complete_area(self, annotation: dict[str, Any], counted: bool) -> None:
        box: Any = annotation["bbox"]
        area: Any = annotation.get("area")
        if not isinstance(box, list) or len(box) != 4 or not all(is_number(value) for value in box):
            box = annotation["bbox"] = [0.0, 0.0, 0.0, 0.0]
        width, height = float(box[2]), float(box[3])
        if not is_number(area):
            annotation["area"] = AREA_PER_BOX * max(width, 0.0) * max(height, 0.0)
            self.repairs[f"without area: {AREA_PER_BOX} x box area assumed"] += counted
        elif not annotation["iscrowd"] and area < SMALLEST_AREA_PER_BOX * width * height:
            self.repairs[
                f"with an area under {SMALLEST_AREA_PER_BOX:.0%} of its box, kept as it is: OKS will be near 0; "
                "remove the area to have it estimated"
            ] += 1


def _unique_images(images: Sequence[Any]) -> list[dict[str, Any]]:
    """Images with an id, the first one per id, as in a dataset."""
    found: dict[str, dict[str, Any]] = {}
    for image in images:
        if isinstance(image, dict) and as_id(image.get("id")) is not None:
            found.setdefault(str(image["id"]), image)
    return list(found.values())


def _numbers(image_ids: Sequence[Id]) -> list[int]:
    """Numbers 0, 1, ... in pycocotools' order of the ids, which decides ties between scores of different images."""
    order = sorted(range(len(image_ids)), key=lambda row: (isinstance(image_ids[row], str), image_ids[row]))
    numbers = [0] * len(order)
    for number, row in enumerate(order):
        numbers[row] = number
    return numbers


def _index(images: Sequence[Mapping[str, Any]], numbers: Sequence[int], annotations: list[dict[str, Any]]) -> Any:
    from pycocotools.coco import COCO

    coco = COCO()
    categories = sorted({annotation["category_id"] for annotation in annotations})
    coco.dataset = {
        "images": [{**image, "id": number} for number, image in zip(numbers, images)],
        "annotations": annotations,
        "categories": [{"id": number} for number in categories],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
    return coco
