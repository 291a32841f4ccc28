"""Reads a detector's boxes (PaddleDetection's and COCO's bbox.json).

Legend: N boxes, K keypoints.
"""

from __future__ import annotations

from typing import Any, List, Mapping, Optional, Sequence, Set, Tuple

import numpy as np

from ppdet.core.errors import DataError
from ppdet.core.json_values import is_id, is_number
from ppdet.data.coco.file import read_json
from ppdet.data.coco.image_match import ENOUGH, ImageMatcher
from ppdet.data.coco.person_table import ImageTable, PersonTable
from ppdet.data.coco.report import AnnotationReport


def detection_table(
    path: str,
    images: ImageTable,
    num_joints: int,
    categories: Optional[Set[Any]],
    score_threshold: float,
    report: AnnotationReport,
) -> PersonTable:
    """Boxes of a detector as persons with unknown keypoints (all zero, none visible).

    Args:
        path: JSON list of {image_id, category_id, bbox [x, y, w, h], score} and, better, `file_name`: that decides then,
            whatever the `image_id` (see `ImageMatcher`).
        images: the images to evaluate on; boxes on other images are named in the report.
        categories: ids that count; None for all.
        score_threshold: boxes below are left out.
        report: takes what is noted; it should be one about the file of boxes.

    Raises:
        DataError: the file is missing, broken, no list, or none of its boxes can be used.
    """
    rows, good, names = usable_detections(path, images, categories, score_threshold, report)
    xywh = np.array([entry["bbox"] for entry in good], np.float64).reshape(-1, 4)
    table = PersonTable(
        np.array(rows, np.int64),
        np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1),
        np.zeros((len(rows), num_joints, 3), np.float32),
        xywh[:, 2] * xywh[:, 3],
        np.array([entry["score"] for entry in good], np.float64),
        np.array(names, object),
    )
    # one image's boxes in a row: each image is decoded once
    return table.take(np.argsort(table.image_row, kind="stable"))


def usable_detections(
    path: str, images: ImageTable, categories: Optional[Set[Any]], score_threshold: float, report: AnnotationReport
) -> Tuple[List[int], List[Mapping[str, Any]], List[str]]:
    """The entries of a file of boxes that count; arguments and errors as for `detection_table`.

    Returns:
        Row of the image, the entry itself, and its name in messages, for each.
    """
    entries = _read(path)
    matcher = ImageMatcher(images)
    rows: List[int] = []
    good: List[Mapping[str, Any]] = []
    names: List[str] = []
    for position, entry in enumerate(entries):
        name = f"detection [{position}]"
        problem = _problem(entry)
        row = None if problem else matcher.row(entry)
        if problem:
            report.add_bad(problem, name)
        elif categories is not None and entry.get("category_id", next(iter(categories))) not in categories:
            report.add_skipped(f"detections of category {entry['category_id']}")
        elif entry["score"] < score_threshold:
            report.add_skipped(f"detections with a score below {score_threshold:g}")
        elif row is None:
            report.add_bad("on an image the dataset does not have", f"{name} -> {_image_of(entry)}")
        else:
            rows.append(row)
            good.append(entry)
            names.append(name)
    _judge(path, entries, rows, matcher, categories, images, report)
    return rows, good, names


def _read(path: str) -> List[Any]:
    entries = read_json(path, "detections", "check bbox_file (looked up in dataset_dir first), or set use_gt_bbox: true")
    if not isinstance(entries, list):
        raise DataError(
            f"{path}: expected a list of detections {{image_id, category_id, bbox, score}}, found a "
            f"{type(entries).__name__}; write it with tools/eval.py of a detector"
        )
    return entries


def _judge(
    path: str,
    entries: Sequence[Any],
    rows: Sequence[int],
    matcher: ImageMatcher,
    categories: Optional[Set[Any]],
    images: ImageTable,
    report: AnnotationReport,
) -> None:
    """Refuse a file of which nothing fits; tell one of which too little does."""
    if not rows:
        reasons = "; ".join(filter(None, [report.bad_line(), report.skipped_line()])) or "it is empty"
        wanted = "" if categories is None else f" of category {', '.join(map(str, sorted(categories, key=str)))}"
        raise DataError(
            f"bbox_file {path}: none of its {len(entries)} boxes{wanted} can be used ({reasons}). Was it made by another "
            "detector or for other images? See docs/data.md"
        )
    if matcher.contradictions:
        report.add_note(
            f"{matcher.contradictions} of {len(entries)} boxes have an image_id that means another image than their file_name; "
            "matched by file_name"
        )
    if matcher.share() < ENOUGH:
        how = "" if not matcher.by_id else (
            "; its image ids may be another program's numbers: write `file_name` into its records (tools/infer.py does)"
        )
        report.add_note(
            f"it has boxes for {len(matcher.known)} of the dataset's {len(images)} images"
            + (f" and for {len(matcher.strangers)} others" if matcher.strangers else "")
            + f"; persons of images without boxes count as missed{how}"
        )


def _image_of(entry: Mapping[str, Any]) -> str:
    return str(entry.get("file_name") or f"image {entry['image_id']}")


def _problem(entry: Any) -> str:
    if not isinstance(entry, dict):
        return "not a mapping"
    for key in ("image_id", "bbox", "score"):
        if key not in entry:
            return f"without `{key}`"
    if not is_id(entry["image_id"]) or not is_id(entry.get("category_id", 1)):
        return "with an `image_id` or `category_id` that is no id"
    box, score = entry["bbox"], entry["score"]
    if not isinstance(box, list) or len(box) != 4 or not all(is_number(v) for v in box) or not is_number(score):
        return "with a `bbox` or `score` that is not finite numbers"
    return "" if box[2] > 0 and box[3] > 0 else "with a box without extent"
