"""Reads COCO-style person annotations into a table, and says which of them cannot be used.

Legend: N persons, K keypoints.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence, Set, Tuple

import numpy as np

from ppdet.core.errors import DataError
from ppdet.core.json_values import is_id, is_number, number_or_nan
from ppdet.data.coco.person_table import ImageTable, PersonTable
from ppdet.data.coco.report import AnnotationReport
from ppdet.geometry.annotated_object import AREA_PER_BOX, FARTHEST, box_around_keypoints

SMALLEST_AREA = 0.01
"""Part of the box that an object covers at least, typically; tools that write `area: 1` are far below."""


def person_table(
    annotations: Sequence[Any],
    images: ImageTable,
    num_joints: int,
    categories: Optional[Set[Any]],
    report: AnnotationReport,
    known_image_ids: Set[Any],
) -> PersonTable:
    """Usable persons: not a crowd, a box inside the image, area above 0, at least one labelled keypoint.

    `annotated_object.unusable` is the same rule for one annotation, which the metric follows; here it runs on arrays.

    Boxes are cut to the image's pixel centres, 0 .. W - 1, and end at x + w - 1: which puts the box centre where the
    pixel-centre convention wants it.

    Args:
        known_image_ids: ids of all images the file lists, so that an annotation of a missing file is not named twice.

    Raises:
        DataError: every annotation has another number of keypoints than `num_joints`.
    """
    row_of = {image_id: row for row, image_id in enumerate(images.ids.tolist())}
    text_ids = images.ids.dtype.kind == "U"
    rows, good, names = [], [], []
    other_counts: Dict[int, List[str]] = {}
    no_box = 0
    for position, entry in enumerate(annotations):
        if isinstance(entry, dict) and entry.get("bbox") is None and not entry.get("iscrowd"):
            box = box_around_keypoints(entry.get("keypoints"))
            entry = {key: value for key, value in entry.items() if key != "bbox"} if box is None else {**entry, "bbox": box}
            filled = box is not None
        else:
            filled = False
        problem, skipped = _problem(entry, categories)
        name = f"annotation {entry.get('id', f'[{position}]')}" if isinstance(entry, dict) else f"annotations[{position}]"
        row = None if problem or skipped else row_of.get(str(entry["image_id"]) if text_ids else entry["image_id"])
        if problem:
            report.add_bad(problem, name)
        elif skipped:
            report.add_skipped(skipped)
        elif row is None and entry["image_id"] in known_image_ids:
            report.add_skipped("annotations of missing image files")
        elif row is None:
            report.add_bad("image_id not among `images`", f"{name} -> {entry['image_id']}")
        elif len(entry["keypoints"]) != 3 * num_joints:
            other_counts.setdefault(len(entry["keypoints"]), []).append(name)
        else:
            rows.append(row)
            good.append(entry)
            names.append(name)
            no_box += filled
    if no_box:
        report.add_note(f"{no_box} annotations have no `bbox`: the extent of their labelled keypoints is taken")
    _check_counts(other_counts, bool(rows), num_joints, report)
    table = PersonTable(
        image_row=np.array(rows, np.int64),
        boxes_xyxy=_numbers([entry["bbox"] for entry in good], 4),  # still x, y, w, h: see _clean
        keypoints=_numbers([entry["keypoints"] for entry in good], 3 * num_joints).reshape(-1, num_joints, 3),
        area=np.array([_area(entry) for entry in good], np.float64),
        box_score=np.ones(len(rows)),
        annotation_id=np.array(names, object),
    )
    return _clean(table, images, report)


def _problem(entry: Any, categories: Optional[Set[Any]]) -> Tuple[str, str]:
    """(mistake, reason to skip) of one annotation; both empty if its layout is right."""
    if not isinstance(entry, dict):
        return "not a mapping", ""
    if entry.get("iscrowd"):
        return "", "crowds"
    category = entry.get("category_id")
    if categories is not None and category is not None and not (is_id(category) and category in categories):
        return "", "of other categories"
    for key in ("image_id", "bbox", "keypoints"):
        if key not in entry:
            return f"without `{key}`", ""
    if not is_id(entry["image_id"]):
        return "with an `image_id` that is no id", ""
    for key in ("bbox", "keypoints"):
        if not isinstance(entry[key], list):
            return f"with a {type(entry[key]).__name__} as `{key}`", ""
    return ("with a `bbox` that is not [x, y, w, h]" if len(entry["bbox"]) != 4 else ""), ""


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
        return np.array(rows, np.float64).reshape(-1, width)
    except (TypeError, ValueError, OverflowError):
        return np.array([[number_or_nan(value) for value in row] for row in rows], np.float64).reshape(-1, width)


def _area(entry: Mapping[str, Any]) -> float:
    """NaN if there is none, which is filled in later; 0 for what is no number."""
    if entry.get("area") is None:
        return float("nan")
    return float(entry["area"]) if is_number(entry["area"]) else 0.0


def _clean(table: PersonTable, images: ImageTable, report: AnnotationReport) -> PersonTable:
    xywh, wh = table.boxes_xyxy, images.wh[table.image_row]
    limit = np.where(wh > 0, wh - 1, FARTHEST)  # an image of unknown size cannot cut
    low = np.maximum(xywh[:, :2], 0)
    high = np.minimum(limit, xywh[:, :2] + np.maximum(xywh[:, 2:] - 1, 0))
    area = np.where(np.isnan(table.area), AREA_PER_BOX * np.prod(np.maximum(xywh[:, 2:], 0), axis=1), table.area)
    no_area = int(np.isnan(table.area).sum())
    labelled = (np.abs(table.keypoints) < FARTHEST).all(axis=(1, 2))
    checks = [
        ("with a box that is not four finite numbers", ~np.isfinite(xywh).all(axis=1)),
        ("with keypoints that are not finite numbers", ~labelled),
        ("with a box without extent or outside its image", ~(high >= low).all(axis=1) | (xywh[:, 2:] <= 0).any(axis=1)),
        ("with area 0", ~(area > 0)),
    ]
    good = np.ones(len(table), bool)
    for reason, failed in checks:
        for row in np.flatnonzero(failed & good):
            report.add_bad(reason, table.annotation_id[row])
        good &= ~failed
    visible = table.keypoints[:, :, 2] > 0
    empty = good & ~visible.any(axis=1)
    report.add_skipped("without labelled keypoints", int(empty.sum()))
    if no_area:
        report.add_note(f"{no_area} annotations have no `area`: {AREA_PER_BOX} x box width x height is taken")
    ratio = area[good] / np.maximum(np.prod(xywh[good, 2:], axis=1), 1)
    if len(ratio) and np.median(ratio) < SMALLEST_AREA:
        report.add_note(
            f"the annotated `area` is typically {np.median(ratio):.4f} of the box; OKS and AP will come out near 0. Write "
            "the object's area in pixels, or leave `area` out"
        )
    keypoints = np.concatenate([table.keypoints[:, :, :2] * visible[:, :, None], visible[:, :, None]], axis=2)
    cleaned = PersonTable(
        table.image_row,
        np.concatenate([low, high], axis=1),
        keypoints.astype(np.float32),
        area,
        table.box_score,
        table.annotation_id,
    )
    return cleaned.take(good & ~empty)
