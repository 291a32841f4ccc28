"""Reads a detector's boxes (PaddleDetection's and COCO's bbox.json).

Legend: N boxes, K keypoints.
"""

from __future__ import annotations

from typing import Any, List, Mapping, Optional, Sequence, Set, Tuple

import numpy as np

from ppdet.annotations.layout_checks import fractions_instead_of_pixels, unusual_scores
from ppdet.annotations.values import IdIndex, as_id, as_number
from ppdet.core.errors import DataError
from ppdet.core.json_file import read_json
from ppdet.data.coco.image_match import ENOUGH, ImageMatcher
from ppdet.data.coco.person_table import ImageTable, PersonTable
from ppdet.data.coco.report import AnnotationReport

BEYOND = 0.05
"""Part of the image by which a detector's box may reach beyond it."""
MOST = 0.95

def detection_table(
    path: str,
    images: ImageTable,
    num_joints: int,
    categories: Optional[Set[Any]],
    score_threshold: float,
    report: AnnotationReport,
    declared: Sequence[Any] = (),
) -> PersonTable:
    """Boxes of a detector as persons with unknown keypoints (all zero, none visible).

    Args:
        path: JSON list of {image_id, category_id, bbox [x, y, w, h], score} and, better, `file_name`: that decides then,
            whatever the `image_id` (see `ImageMatcher`).
        images: the images to evaluate on; boxes on other images are named in the report.
        num_joints: K.
        categories: ids that count; None for all.
        score_threshold: boxes below are left out.
        report: takes what is noted; it should be one about the file of boxes.
        declared: category ids of the annotation file, in its order.

    Raises:
        DataError: the file is missing, broken, no list, or none of its boxes can be used.
    """
    rows, good, names = usable_detections(path, images, categories, score_threshold, report, declared)
    xywh = np.array([entry["bbox"] for entry in good], np.float64).reshape(-1, 4)
    category_row = {identity: row for row, identity in enumerate(declared)}
    table = PersonTable(
        np.array(rows, np.int64),
        np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1),
        np.zeros((len(rows), num_joints, 3), np.float32),
        xywh[:, 2] * xywh[:, 3],
        np.array([entry["score"] for entry in good], np.float64),
        np.array(names, object),
        np.array([category_row.get(entry.get("category_id"), -1) for entry in good], np.int64),
    )
    # one image's boxes in a row: each image is decoded once
    return table.take(np.argsort(table.image_row, kind="stable"))


def usable_detections(
    path: str,
    images: ImageTable,
    categories: Optional[Set[Any]],
    score_threshold: float,
    report: AnnotationReport,
    declared: Sequence[Any] = (),
) -> Tuple[List[int], List[Mapping[str, Any]], List[str]]:
    """The entries of a file of boxes that count; arguments and errors as for `detection_table`.

    Returns:
        For each, the row of its image; its `bbox` and `score` as numbers and, if it has one, the `category_id` that is meant; and
        its name in messages.
    """
    entries = _read(path)
    matcher, index = ImageMatcher(images), IdIndex(declared or categories or ())
    rows: List[int] = []
    good: List[Mapping[str, Any]] = []
    names: List[str] = []
    scores: List[float] = []
    for position, entry in enumerate(entries):
        name = f"detection [{position}]"
        problem = _problem(entry)
        if problem:
            report.add_bad(problem, name)
            continue
        row = matcher.row(entry)
        category, score = entry.get("category_id"), float(entry["score"])
        found = index.find(category)
        if categories is not None and category is not None and found not in categories:
            report.add_skipped(f"detections of category {str(category)[:40]}")
            continue
        scores.append(score)
        if score < score_threshold:
            report.add_skipped(f"detections with a score below {score_threshold:g}")
        elif row is None:
            report.add_bad("on an image the dataset does not have", f"{name} -> {_image_of(entry)}")
        else:
            rows.append(row)
            box = [float(value) for value in entry["bbox"]]
            good.append({"bbox": box, "score": score, **({} if found is None else {"category_id": found})})
            names.append(name)
    remark = unusual_scores(scores, f"a threshold of {score_threshold:g}")
    if remark and (score_threshold > 0 or min(scores) < score_threshold):
        report.add_note(remark)
    _judge(path, entries, rows, matcher, categories, images, report)
    _check_layout(path, np.array([entry["bbox"] for entry in good]).reshape(-1, 4), images.wh[rows], report)
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
    """Refuse a file of which nothing fits; note one of which too little does."""
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
    return str(entry.get("file_name") or f"image {entry['image_id']}")[:200]


def _check_layout(path: str, xywh: np.ndarray, wh: np.ndarray, report: AnnotationReport) -> None:
    if fractions_instead_of_pixels(np.zeros((0, 0, 3)), xywh):
        raise DataError(
            f"bbox_file {path}: its boxes are fractions of the image, from 0 to 1; expected pixels. Multiply x by the image's "
            "width and y by its height"
        )
    known = (wh > 0).all(axis=1)
    if not known.any():
        return
    beyond = (xywh[known, :2] + xywh[known, 2:] > wh[known] * (1 + BEYOND)).any(axis=1)
    inside = (xywh[known, 2:] <= wh[known] * (1 + BEYOND)).all(axis=1) & (xywh[known, 2:] > xywh[known, :2]).all(axis=1)
    if beyond.mean() > ENOUGH and inside.mean() > MOST:
        report.add_note(
            f"{beyond.mean():.0%} of its boxes reach beyond their image, and would not if they were [x1, y1, x2, y2]; expected "
            "is COCO's [x, y, width, height]"
        )


def _problem(entry: Any) -> str:
    if not isinstance(entry, dict):
        return "not a mapping"
    for key in ("image_id", "bbox", "score"):
        if key not in entry:
            return f"without `{key}`"
    if as_id(entry["image_id"]) is None or as_id(entry.get("category_id", 1)) is None:
        return "with an `image_id` or `category_id` that is no id"
    box, score = entry["bbox"], entry["score"]
    if not isinstance(box, list) or len(box) != 4 or None in [as_number(value) for value in [*box, score]]:
        return "with a `bbox` or `score` that is not finite numbers"
    return "" if float(box[2]) > 0 and float(box[3]) > 0 else "with a box without extent"
