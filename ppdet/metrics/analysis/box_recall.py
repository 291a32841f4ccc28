"""How well a detector's boxes cover the annotated objects. Legend: N objects."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

import numpy as np

from ppdet.geometry.assignment import assign
from ppdet.geometry.boxes import iou_matrix, xyxy_from_xywh


@dataclass(frozen=True)
class BoxRecall:
    """Annotated objects and the detector's boxes.

    Attributes:
        iou: (N,) IoU of each object with the box assigned to it, 0 for none.
        score: (N,) score of that box, NaN for none.
        boxes: number of boxes of the detector in these images.
    """

    iou: np.ndarray
    score: np.ndarray
    boxes: int

    def recall(self, iou: float) -> float:
        """Share of the objects whose box overlaps at least so much."""
        return float((self.iou >= iou).mean()) if len(self.iou) else float("nan")


def box_recall(image: np.ndarray, box_xywh: np.ndarray, detections: Sequence[Mapping[str, Any]]) -> BoxRecall:
    """Assign the boxes of each image to its objects, at the greatest total IoU.

    Args:
        image: (N,) image of each object.
        box_xywh: (N, 4).
        detections: image_id (as in `image`), bbox [x, y, w, h], score.
    """
    by_image = defaultdict(list)
    for each in detections:
        by_image[each["image_id"]].append(each)
    iou, score = np.zeros(len(image)), np.full(len(image), np.nan)
    boxes = 0
    for number in np.unique(image).tolist():
        found = by_image.get(number, [])
        boxes += len(found)
        if found:
            objects = np.flatnonzero(image == number)
            overlap = iou_matrix(xyxy_from_xywh(box_xywh[objects]), xyxy_from_xywh(np.array([each["bbox"] for each in found])))
            rows, columns = assign(-overlap)
            iou[objects[rows]] = overlap[rows, columns]
            score[objects[rows]] = [found[column]["score"] for column in columns]
    return BoxRecall(iou, np.where(iou > 0, score, np.nan), boxes)
