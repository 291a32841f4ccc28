"""Boxes that a detector found in one image."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Detections:
    """Boxes of one image, best first.

    Legend: N boxes.

    Attributes:
        boxes_xyxy: (N, 4) float32, image pixels.
        scores: (N,) float32 in 0..1.
        labels: (N,) int64, index into the label list.
        looks: (N, D) float32 description of each one's appearance, of length 1; None for most detectors.
    """

    boxes_xyxy: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    looks: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.boxes_xyxy)

    def __getitem__(self, rows: Any) -> Detections:
        """The boxes selected by a mask, a slice or an index array."""
        looks = None if self.looks is None else self.looks[rows]
        return Detections(self.boxes_xyxy[rows], self.scores[rows], self.labels[rows], looks)

    @classmethod
    def from_rows(cls, boxes_xyxy: np.ndarray, scores: np.ndarray, labels: np.ndarray) -> Detections:
        """Create from arrays of any type, in any order; sorted by score."""
        scores = np.asarray(scores, np.float32).reshape(-1)
        order = np.argsort(-scores, kind="stable")
        return cls(np.asarray(boxes_xyxy, np.float32).reshape(-1, 4)[order], scores[order],
                   np.asarray(labels, np.int64).reshape(-1)[order])
