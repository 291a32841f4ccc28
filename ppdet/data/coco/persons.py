"""Makes a table of the persons of COCO-style annotations, and says which of them cannot be used.

Legend: N persons, K keypoints.
"""

from __future__ import annotations

from itertools import chain
from typing import Any, Container, Dict, List, Mapping, Optional, Sequence, Set, Tuple

import numpy as np

from ppdet.annotations.annotated_object import (
    AREA_PER_BOX,
    FARTHEST,
    IN_FRACTIONS,
    SMALLEST_AREA_PER_BOX,
    WITHOUT_AREA,
    box_around_keypoints,
)
from ppdet.annotations.layout_checks import persons_in_fractions
from ppdet.annotations.values import as_id, is_number, number_or_nan
from ppdet.core.errors import DataError
from ppdet.data.coco.doubtful import check_layout, note_doubtful
from ppdet.data.coco.file import listed_ids, with_sizes
from ppdet.data.coco.person_table import ImageTable, PersonTable
from ppdet.data.coco.report import AnnotationReport

GIVEN, EXTENT, IMAGE = BOXES = ("given", "extent", "image")
"""Where a person's box comes from: the annotation's `bbox` (the keypoints' extent if it has none), always the extent of the
labelled keypoints, or the whole image."""


def person_table(
    content: Mapping[str, Any],
    images: ImageTable,
    num_joints: int,
    categories: Optional[Set[Any]],
    report: AnnotationReport,
    box: str = GIVEN,
) -> PersonTable:
    """Usable persons: not a crowd, a box inside the image, area above 0, at least one labelled keypoint.

    `annotated_object.unusable` is the same rule for one annotation, which the metric follows; here it runs on arrays.

    Boxes are cut to the image's pixel centres, 0 .. W - 1, and end at x + w - 1, which puts the box centre where the
    pixel-centre convention wants it.

    Args:
        content: as `read_coco` returns it.
        images: those that exist.
        num_joints: K.
        categories: ids that count; None for all.
        report: takes what cannot be used.
        box: one of `BOXES`.

    Raises:
        DataError: every annotation has another number of keypoints than `num_joints`, or coordinates are fractions of the image.
    """
    images = with_sizes(images) if box == IMAGE else images
    annotations, known = content["annotations"], listed_ids(content["images"])
    row_of = {str(image_id): row for row, image_id in enumerate(images.ids.tolist())}
    category_row = {category["id"]: row for row, category in enumerate(content["categories"])}
    rows, good, names, boxes, category_rows = [], [], [], [], []
    other_counts: Dict[int, List[str]] = {}
    no_box = 0
    for position, entry in enumerate(annotations):
        problem, skipped = _problem(entry, categories, category_row)
        row = None if problem or skipped else row_of.get(str(entry["image_id"]))
        xywh: Optional[Sequence[Any]] = None
        if row is not None:
            xywh = [0, 0, *images.wh[row]] if box == IMAGE else entry.get("bbox") if box == GIVEN else None
            filled = xywh is None
            xywh = box_around_keypoints(entry["keypoints"]) if filled else xywh
        if skipped:
            report.add_skipped(skipped)
            continue
        name = name_of(entry, position)
        if problem:
            report.add_bad(problem, name)
        elif row is None and entry["image_id"] in known:
            report.add_skipped("annotations of missing image files")
        elif row is None:
            report.add_bad("image_id not among `images`", f"{name} -> {str(entry['image_id'])[:40]}")
        elif len(entry["keypoints"]) != 3 * num_joints:
            other_counts.setdefault(len(entry["keypoints"]), []).append(name)
        elif not any(entry["keypoints"][2::3]):
            report.add_skipped("without labelled keypoints")
        elif xywh is None:
            report.add_bad("without `bbox`, and with keypoints that span none", name)
        else:
            rows.append(row)
            good.append(entry)
            names.append(name)
            boxes.append(xywh)
            category_rows.append(category_row.get(entry.get("category_id"), -1))
            no_box += filled
    if no_box and box == GIVEN:
        report.add_note(f"{no_box} annotations have no `bbox`: the extent of their labelled keypoints is taken")
    _check_counts(other_counts, bool(rows), num_joints, report)
    table = PersonTable(
        image_row=np.array(rows, np.int64),
        boxes_xyxy=_numbers(boxes, 4),  # still x, y, w, h: see _cleaned
        keypoints=_numbers([entry["keypoints"] for entry in good], 3 * num_joints).reshape(-1, num_joints, 3),
        area=np.array([_area(entry) for entry in good], np.float64),
        box_score=np.ones(len(rows)),
        annotation_id=np.array(names, object),
        category_row=np.array(category_rows, np.int64),
    )
    usual_boxes = check_layout(table, box == GIVEN, report)
    table = table.take(_usable(table, images.wh[table.image_row], report))
    image_wh = images.wh[table.image_row]
    note_doubtful(table, image_wh, box == GIVEN and usual_boxes, report)
    return _cleaned(table, image_wh)


def name_of(entry: Any, position: int) -> str:
    """What to call an annotation in messages."""
    if not isinstance(entry, dict):
        return f"annotations[{position}]"
    identity = entry.get("id", f"[{position}]")
    return f"annotation {identity}" if type(identity) is int and identity < 2**63 else f"annotation {str(identity)[:40]}"


def _problem(entry: Any, categories: Optional[Set[Any]], declared: Container[Any]) -> Tuple[str, str]:
    """(mistake, reason to skip) of one annotation; both empty if its layout is right."""
    if not isinstance(entry, dict):
        return "not a mapping", ""
    crowd = entry.get("iscrowd")
    if _is_ordinary(entry):
        return _problem_of_category(entry["category_id"], categories, declared)
    if crowd not in (0, 1):
        return "with an `iscrowd` that is neither 0 nor 1", ""
    if crowd:
        return "", "crowds"
    category = entry.get("category_id")
    if category is not None:
        if as_id(category) is None:
            return "with a `category_id` that is no id", ""
        problem, skipped = _problem_of_category(category, categories, declared)
        if problem or skipped:
            return problem, skipped
    if as_id(entry.get("image_id")) is None:
        return ("with an `image_id` that is no id" if "image_id" in entry else "without `image_id`"), ""
    keypoints = entry.get("keypoints")
    if keypoints is None:
        return "without `keypoints`", ""
    if isinstance(keypoints, str):
        return keypoints, ""  # why they could not be read, see `coco_content`
    box = entry.get("bbox")
    if box is not None and not isinstance(box, list):
        return f"with a {type(box).__name__} as `bbox`", ""
    return ("with a `bbox` that is not [x, y, w, h]" if box is not None and len(box) != 4 else ""), ""


def _problem_of_category(category: Any, wanted: Optional[Set[Any]], declared: Container[Any]) -> Tuple[str, str]:
    if wanted is None or category in wanted:
        return "", ""
    return ("", "of other categories") if category in declared else ("with a `category_id` that is not among `categories`", "")


def _is_ordinary(entry: Mapping[str, Any]) -> bool:
    """Whether every value is of the kind that COCO writes, as of nearly all annotations: they need no closer look."""
    ids_are_numbers = type(entry.get("image_id")) is int and type(entry.get("category_id")) is int
    box, keypoints = entry.get("bbox"), entry.get("keypoints")
    return ids_are_numbers and entry.get("iscrowd") == 0 and type(keypoints) is type(box) is list and len(box) == 4


def is_wanted(entry: Mapping[str, Any], categories: Optional[Set[Any]]) -> bool:
    """Whether an annotation is of these categories; one that names no category is."""
    category = entry.get("category_id")
    return category is None or (as_id(category) is not None and (categories is None or category in categories))


def _check_counts(other: Mapping[int, List[str]], any_right: bool, num_joints: int, report: AnnotationReport) -> None:
    if other and not any_right:
        length = max(other, key=lambda n: len(other[n]))
        given = f"{length // 3} keypoints" if length % 3 == 0 else f"{length} numbers (not a multiple of 3)"
        raise DataError(
            f"{report.source}: its annotations have {given}, but num_joints is {num_joints}; "
            "set skeleton (or num_joints) in the config to what the file holds"
        )
    for length, names in other.items():
        for name in names:
            report.add_bad(f"with {length / 3:g} keypoints instead of {num_joints}", name)


def _numbers(rows: Sequence[Sequence[Any]], width: int) -> np.ndarray:
    """(N, width) float64; whatever is no number becomes NaN and is found by the cleaning."""
    try:
        return np.fromiter(chain.from_iterable(rows), np.float64, width * len(rows)).reshape(-1, width)  # twice as fast as array
    except (TypeError, ValueError, OverflowError):
        return np.array([[number_or_nan(value) for value in row] for row in rows], np.float64).reshape(-1, width)


def _area(entry: Mapping[str, Any]) -> float:
    """NaN if there is none, which is filled in later; infinite for what is no number, which is refused."""
    area = entry.get("area")
    return float("nan") if area is None else float(area) if is_number(area) else float("inf")


def _cut_boxes(xywh: np.ndarray, wh: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """(N, 2) corners of boxes cut to the pixel centres of their images; an image of unknown size cannot cut."""
    limit = np.where(wh > 0, wh - 1, FARTHEST)
    return np.maximum(xywh[:, :2], 0), np.minimum(limit, xywh[:, :2] + np.maximum(xywh[:, 2:] - 1, 0))


def _completed_area(table: PersonTable) -> np.ndarray:
    estimate: np.ndarray = AREA_PER_BOX * np.prod(np.maximum(table.boxes_xyxy[:, 2:], 0), axis=1)
    return np.where(np.isnan(table.area), estimate, table.area)


def _usable(table: PersonTable, image_wh: np.ndarray, report: AnnotationReport) -> np.ndarray:
    """(N,) which persons of a raw table can be used; the report takes the others, and remarks on the areas."""
    xywh = table.boxes_xyxy
    low, high = _cut_boxes(xywh, image_wh)
    area = _completed_area(table)
    visible = table.keypoints[:, :, 2] > 0
    known = np.isfinite(table.keypoints[:, :, 2])
    readable = known & ((np.abs(table.keypoints[:, :, :2]) < FARTHEST).all(axis=2) | ~visible)
    checks = [
        ("with a box that is not four finite numbers", ~np.isfinite(xywh).all(axis=1)),
        ("with keypoints that are not finite numbers", ~readable.all(axis=1)),
        (IN_FRACTIONS, persons_in_fractions(table.keypoints)),
        ("with a box without extent or outside its image", ~(high >= low).all(axis=1) | (xywh[:, 2:] <= 0).any(axis=1)),
        ("with an `area` that is not a finite number", np.isinf(table.area)),
        (WITHOUT_AREA, ~(area > 0)),
    ]
    good = np.ones(len(table), bool)
    for reason, failed in checks:
        for row in np.flatnonzero(failed & good):
            report.add_bad(reason, table.annotation_id[row])
        good &= ~failed
    empty = good & ~visible.any(axis=1)
    report.add_skipped("without labelled keypoints", int(empty.sum()))
    no_area = int(np.isnan(table.area).sum())
    if no_area:
        report.add_note(f"{no_area} annotations have no `area`: {AREA_PER_BOX} x box width x height is taken")
    ratio = area[good] / np.maximum(np.prod(xywh[good, 2:], axis=1), 1)
    if len(ratio) and np.median(ratio) < SMALLEST_AREA_PER_BOX:
        report.add_note(
            f"the annotated `area` is typically {np.median(ratio):.4f} of the box; OKS and AP will come out near 0. Write "
            "the object's area in pixels, or leave `area` out"
        )
    usable: np.ndarray = good & ~empty
    return usable


def _cleaned(table: PersonTable, image_wh: np.ndarray) -> PersonTable:
    """Usable persons with boxes as corners, areas, visibilities of 0 or 1, and zeros where nothing is labelled."""
    visible = table.keypoints[:, :, 2:] > 0
    return PersonTable(
        table.image_row,
        np.concatenate(_cut_boxes(table.boxes_xyxy, image_wh), axis=1),
        np.concatenate([np.where(visible, table.keypoints[:, :, :2], 0), visible], axis=2).astype(np.float32),
        _completed_area(table),
        table.box_score,
        table.annotation_id,
        table.category_row,
    )
