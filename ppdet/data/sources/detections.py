"""Reads a detector's boxes (PaddleDetection's and COCO's bbox.json) into a person table.

Legend: N boxes, K keypoints.
"""

from __future__ import annotations

from typing import Any, List, Optional, Set

import numpy as np

from ppdet.core.errors import DataError
from ppdet.data.sources.annotation_report import AnnotationReport
from ppdet.data.sources.coco_file import read_json
from ppdet.data.sources.json_values import is_id, is_number
from ppdet.data.sources.person_table import ImageTable, PersonTable


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
        path: JSON list of {image_id, category_id, bbox [x, y, w, h], score}.
        images: the images to evaluate on; boxes on other images are named in the report.
        categories: ids that count; None for all.
        score_threshold: boxes below are left out.

    Raises:
        DataError: the file is missing, broken or no list.
    """
    entries = read_json(path, "detections", "check bbox_file (looked up in dataset_dir first), or set use_gt_bbox: true")
    if not isinstance(entries, list):
        raise DataError(
            f"{path}: expected a list of detections {{image_id, category_id, bbox, score}}, found a "
            f"{type(entries).__name__}; write it with tools/eval.py of a detector"
        )
    row_of = {image_id: row for row, image_id in enumerate(images.ids.tolist())}
    rows: List[int] = []
    boxes: List[List[float]] = []
    scores: List[float] = []
    names: List[str] = []
    for position, entry in enumerate(entries):
        name = f"detection [{position}]"
        problem = _problem(entry)
        if problem:
            report.add_bad(problem, name)
        elif categories is not None and entry.get("category_id", next(iter(categories))) not in categories:
            report.add_skipped("detections of other categories")
        elif entry["score"] < score_threshold:
            report.add_skipped(f"detections with a score below {score_threshold:g}")
        elif _key(entry["image_id"], images) not in row_of:
            report.add_bad("on an image the annotation file does not list", f"{name} -> image {entry['image_id']}")
        else:
            rows.append(row_of[_key(entry["image_id"], images)])
            boxes.append([float(v) for v in entry["bbox"]])
            scores.append(float(entry["score"]))
            names.append(name)
    xywh = np.array(boxes, np.float64).reshape(-1, 4)
    table = PersonTable(
        np.array(rows, np.int64),
        np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1),
        np.zeros((len(rows), num_joints, 3), np.float32),
        xywh[:, 2] * xywh[:, 3],
        np.array(scores, np.float64),
        np.array(names, object),
    )
    # one image's boxes in a row: each image is decoded once
    return table.take(np.argsort(table.image_row, kind="stable"))


def _key(image_id: Any, images: ImageTable) -> Any:
    return str(image_id) if images.ids.dtype.kind == "U" else image_id


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
