"""All persons of a dataset as a few arrays (a dict per person costs 20 times the memory and a deep copy per sample).

Legend: N persons, M images, K keypoints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import List

import numpy as np


@dataclass
class ImageTable:
    """The images of a dataset.

    Attributes:
        paths: M file names.
        ids: (M,) ids of the annotation file, integers or strings.
        wh: (M, 2) int64 width and height according to the annotation file, 0 where it has none.
    """

    paths: List[str]
    ids: np.ndarray
    wh: np.ndarray

    def __len__(self) -> int:
        return len(self.paths)


@dataclass
class PersonTable:
    """The persons of a dataset, row by row.

    Attributes:
        image_row: (N,) int64 row in the image table.
        boxes_xyxy: (N, 4) float64 source pixels.
        keypoints: (N, K, 3) float32 x, y in source pixels and visibility in {0, 1}.
        area: (N,) float64.
        box_score: (N,) float64.
        annotation_id: (N,) ids (object array), for messages.
        category_row: (N,) int64 row in the annotation file's categories, -1 where unknown.
    """

    image_row: np.ndarray
    boxes_xyxy: np.ndarray
    keypoints: np.ndarray
    area: np.ndarray
    box_score: np.ndarray
    annotation_id: np.ndarray
    category_row: np.ndarray

    def __len__(self) -> int:
        return len(self.image_row)

    def take(self, rows: np.ndarray) -> PersonTable:
        """The table of some rows (mask or numbers), in that order."""
        return PersonTable(
            self.image_row[rows],
            self.boxes_xyxy[rows],
            self.keypoints[rows],
            self.area[rows],
            self.box_score[rows],
            self.annotation_id[rows],
            self.category_row[rows],
        )
