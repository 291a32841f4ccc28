"""Boxes of a COCO-style file, and a detector's boxes that fill its gaps, by image.

Legend: N boxes of one image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence

import numpy as np

from ppdet.annotations.values import is_id, is_number
from ppdet.data.coco.detections import usable_detections
from ppdet.data.coco.person_table import ImageTable
from ppdet.data.coco.report import AnnotationReport
from ppdet.geometry.boxes import iou_matrix, xyxy_from_xywh

SMALLEST_SIDE = 1e-5
"""Pixels; boxes below teach nothing."""


@dataclass
class ImageBoxes:
    """The boxes of one image: xyxy (N, 4) in source pixels, labels (N,), crowd (N,) bool, scores (N,)."""

    xyxy: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def none(cls) -> ImageBoxes:
        """No boxes."""
        return cls(np.zeros((0, 4)), np.zeros(0, np.int64), np.zeros(0, bool), np.zeros(0))

    def take(self, rows: np.ndarray) -> ImageBoxes:
        """Some of the boxes (mask or numbers)."""
        return ImageBoxes(self.xyxy[rows], self.labels[rows], self.crowd[rows], self.scores[rows])

    def joined(self, other: ImageBoxes) -> ImageBoxes:
        """These boxes and those."""
        pairs = ((self.xyxy, other.xyxy), (self.labels, other.labels), (self.crowd, other.crowd), (self.scores, other.scores))
        return ImageBoxes(*(np.concatenate(pair) for pair in pairs))


def annotated_boxes(
    annotations: Sequence[Any], category_ids: Sequence[Any], wanted: Sequence[Any], report: AnnotationReport
) -> Dict[Any, ImageBoxes]:
    """{image id: boxes} of a file's annotations.

    Args:
        annotations: the file's list.
        category_ids: all categories of the file.
        wanted: those that are classes, in the order of the class numbers; others are left out.
        report: takes entries that cannot be used.
    """
    class_of = {category: number for number, category in enumerate(wanted)}
    found: Dict[Any, List[Mapping[str, Any]]] = {}
    for position, entry in enumerate(annotations):
        if not _usable(entry, category_ids):
            report.add_bad("without image_id, bbox of four numbers or known category_id", f"annotations[{position}]")
        elif entry["category_id"] in class_of:
            found.setdefault(entry["image_id"], []).append(entry)
    return {image: _boxes(entries, class_of) for image, entries in found.items()}


def trainable(boxes: ImageBoxes) -> ImageBoxes:
    """Without crowds and boxes that have no extent."""
    sides = boxes.xyxy[:, 2:] - boxes.xyxy[:, :2]
    return boxes.take(~boxes.crowd & (sides > SMALLEST_SIDE).all(axis=1))


def pseudo_boxes(
    path: str, images: ImageTable, wanted: Sequence[Any], threshold: float, report: AnnotationReport
) -> Dict[Any, ImageBoxes]:
    """{image id: boxes} of a detector's file, with its scores.

    Raises:
        DataError: the file is missing or broken, or none of its boxes fits.
    """
    class_of = {category: number for number, category in enumerate(wanted)}
    rows, entries, _ = usable_detections(path, images, set(wanted), threshold, report)
    found: Dict[Any, List[Mapping[str, Any]]] = {}
    only = wanted[0] if wanted else None
    for row, entry in zip(rows, entries):
        found.setdefault(images.ids[row].item(), []).append({"category_id": only, **entry})
    return {image: _boxes(same, class_of) for image, same in found.items()}


def fill_gaps(labelled: Optional[ImageBoxes], pseudo: ImageBoxes, overlap: float) -> ImageBoxes:
    """Annotations, and the pseudo labels that overlap none of them (crowds included) by more than `overlap` (IoU)."""
    if labelled is None or not len(labelled):
        return pseudo
    return labelled.joined(pseudo.take(iou_matrix(pseudo.xyxy, labelled.xyxy).max(axis=1) <= overlap))


def _boxes(entries: Sequence[Mapping[str, Any]], class_of: Mapping[Any, int]) -> ImageBoxes:
    return ImageBoxes(
        xyxy_from_xywh(np.array([e["bbox"] for e in entries], np.float64)),
        np.array([class_of[e["category_id"]] for e in entries], np.int64),
        np.array([e.get("iscrowd") == 1 for e in entries], bool),
        np.clip([float(e["score"]) if is_number(e.get("score")) else 1.0 for e in entries], 0.0, 1.0),
    )


def _usable(entry: Any, category_ids: Sequence[Any]) -> bool:
    if not isinstance(entry, dict) or not is_id(entry.get("image_id")):
        return False
    box = entry.get("bbox")
    numbers = isinstance(box, list) and len(box) == 4 and all(is_number(v) for v in box)
    return numbers and is_id(entry.get("category_id")) and entry["category_id"] in category_ids
