"""Makes a table of the persons of COCO-style annotations, and says which of them cannot be used.

Legend: N persons, K keypoints.
"""

from __future__ import annotations

from itertools import chain
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set, Tuple

import numpy as np

from ppdet.annotations.annotated_object import AREA_PER_BOX, FARTHEST, SMALLEST_AREA_PER_BOX, box_around_keypoints
from ppdet.annotations.layout_checks import fractions_instead_of_pixels, listed_twice, other_box_layout
from ppdet.annotations.values import as_id, is_number, number_or_nan
from ppdet.core.errors import DataError
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
        problem, skipped = _problem(entry, categories)
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
        boxes_xyxy=_numbers(boxes, 4),  # still x, y, w, h: see _clean
        keypoints=_numbers([entry["keypoints"] for entry in good], 3 * num_joints).reshape(-1, num_joints, 3),
        area=np.array([_area(entry) for entry in good], np.float64),
        box_score=np.ones(len(rows)),
        annotation_id=np.array(names, object),
        category_row=np.array(category_rows, np.int64),
    )
    _check_layout(table, box, report)
    return _clean(table, images, report)


def name_of(entry: Any, position: int) -> str:
    """What to call an annotation in messages."""
    if not isinstance(entry, dict):
        return f"annotations[{position}]"
    identity = entry.get("id", f"[{position}]")
    return f"annotation {identity}" if type(identity) is int and identity < 2**63 else f"annotation {str(identity)[:40]}"


def _problem(entry: Any, categories: Optional[Set[Any]]) -> Tuple[str, str]:
    """(mistake, reason to skip) of one annotation; both empty if its layout is right."""
    if not isinstance(entry, dict):
        return "not a mapping", ""
    crowd = entry.get("iscrowd")
    if _is_ordinary(entry):
        return "", "" if categories is None or entry["category_id"] in categories else "of other categories"
    if crowd not in (0, 1):
        return "with an `iscrowd` that is neither 0 nor 1", ""
    if crowd:
        return "", "crowds"
    category = entry.get("category_id")
    if category is not None:
        if as_id(category) is None:
            return "with a `category_id` that is no id", ""
        if categories is not None and category not in categories:
            return "", "of other categories"
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


def _check_layout(table: PersonTable, box: str, report: AnnotationReport) -> None:
    fractions = fractions_instead_of_pixels(table.keypoints, table.boxes_xyxy if box == GIVEN else table.boxes_xyxy[:0])
    if fractions:
        raise DataError(
            f"{report.source}: its {fractions} are fractions of the image, from 0 to 1; expected pixels. Multiply x by the "
            "image's width and y by its height"
        )
    layout = other_box_layout(table.keypoints, table.boxes_xyxy) if box == GIVEN else None
    if layout:
        report.add_note(
            f"its boxes look like {layout}: read so, they fit the keypoints, read as COCO's [x, y, width, height] they do not. "
            "Write them in COCO's layout, or the crops will be wrong"
        )


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


def _clean(table: PersonTable, images: ImageTable, report: AnnotationReport) -> PersonTable:
    xywh, wh = table.boxes_xyxy, images.wh[table.image_row]
    limit = np.where(wh > 0, wh - 1, FARTHEST)  # an image of unknown size cannot cut
    low = np.maximum(xywh[:, :2], 0)
    high = np.minimum(limit, xywh[:, :2] + np.maximum(xywh[:, 2:] - 1, 0))
    area = np.where(np.isnan(table.area), AREA_PER_BOX * np.prod(np.maximum(xywh[:, 2:], 0), axis=1), table.area)
    no_area = int(np.isnan(table.area).sum())
    visible = table.keypoints[:, :, 2] > 0
    readable = (np.abs(table.keypoints[:, :, :2]) < FARTHEST).all(axis=2) | (table.keypoints[:, :, 2] <= 0)
    checks = [
        ("with a box that is not four finite numbers", ~np.isfinite(xywh).all(axis=1)),
        ("with keypoints that are not finite numbers", ~readable.all(axis=1)),
        ("with a box without extent or outside its image", ~(high >= low).all(axis=1) | (xywh[:, 2:] <= 0).any(axis=1)),
        ("with an `area` that is not a finite number", np.isinf(table.area)),
        ("with area 0", ~(area > 0)),
    ]
    good = np.ones(len(table), bool)
    for reason, failed in checks:
        for row in np.flatnonzero(failed & good):
            report.add_bad(reason, table.annotation_id[row])
        good &= ~failed
    empty = good & ~visible.any(axis=1)
    report.add_skipped("without labelled keypoints", int(empty.sum()))
    if no_area:
        report.add_note(f"{no_area} annotations have no `area`: {AREA_PER_BOX} x box width x height is taken")
    ratio = area[good] / np.maximum(np.prod(xywh[good, 2:], axis=1), 1)
    if len(ratio) and np.median(ratio) < SMALLEST_AREA_PER_BOX:
        report.add_note(
            f"the annotated `area` is typically {np.median(ratio):.4f} of the box; OKS and AP will come out near 0. Write "
            "the object's area in pixels, or leave `area` out"
        )
    xy = np.where((visible & readable)[:, :, None], table.keypoints[:, :, :2], 0)
    cleaned = PersonTable(
        table.image_row,
        np.concatenate([low, high], axis=1),
        np.concatenate([xy, visible[:, :, None]], axis=2).astype(np.float32),
        area,
        table.box_score,
        table.annotation_id,
        table.category_row,
    ).take(good & ~empty)
    _note_repeated(cleaned, report)
    return cleaned


def _note_repeated(table: PersonTable, report: AnnotationReport) -> None:
    pairs = listed_twice(table.image_row, table.keypoints)
    if pairs:
        first, second = (table.annotation_id[row] for row in pairs[0])
        report.add_note(
            f"{len(pairs)} of {len(table)} persons are listed twice, e.g. {first} and {second}: the second counts as missed in "
            "an evaluation, which can halve AP, and weighs double in training. Remove it"
        )
