"""Table of person predictions: one row per person, each sample of the dataset at most once.

Axes: B persons of a batch, N persons collected, K keypoints.
"""

from __future__ import annotations

from typing import Mapping, Sequence

import numpy as np

from ppdet.core.errors import DataError
from ppdet.geometry.oks import oks_nms, soft_oks_nms
from ppdet.skeletons import Skeleton

NO_INDEX = -1
NO_CATEGORY_ROW = -1


class PersonInstances:
    """Growing table of predictions.

    Args:
        num_keypoints: K of every prediction.
        with_truth: also require truth_xy (N,K,2) and visible (N,K), for metrics without an annotation file, and take box_wh
            (N,2) and object_area (N,) of the annotated object if the samples have them, NaN otherwise.

    Columns: image_id (N,), index (N,), keypoints (N,K,3), box_score (N,), area (N,), center_xy (N,2), size_wh (N,2),
    category_row (N,).
    """

    def __init__(self, num_keypoints: int, with_truth: bool = False) -> None:
        self._columns = {
            "image_id": ((), np.int64),
            "index": ((), np.int64),
            "keypoints": ((num_keypoints, 3), np.float32),
            "box_score": ((), np.float32),
            "area": ((), np.float32),
            "center_xy": ((2,), np.float32),
            "size_wh": ((2,), np.float32),
            "category_row": ((), np.int64),
        }
        if with_truth:
            self._columns["truth_xy"] = ((num_keypoints, 2), np.float32)
            self._columns["visible"] = ((num_keypoints,), np.float32)
            self._columns["box_wh"] = ((2,), np.float32)
            self._columns["object_area"] = ((), np.float32)
        self._batches: list[dict[str, np.ndarray]] = []
        self._seen: set[int] = set()

    def __len__(self) -> int:
        return sum(len(batch["image_id"]) for batch in self._batches)

    def add(self, batch: Mapping[str, np.ndarray]) -> None:
        """Append a batch, except samples whose `index` was added before.

        Without `index` duplicates cannot be recognised, and all samples are kept. box_score defaults to 1, center_xy and
        size_wh to 0, category_row to -1 (unknown).

        Raises:
            DataError: a column is missing or has another shape.
        """
        rows = len(np.asarray(batch["image_id"]).reshape(-1))
        columns = {name: self._column(batch, name, rows) for name in self._columns}
        fresh = [row for row in range(rows) if self._is_new(int(columns["index"][row]))]
        self._batches.append({name: values[fresh] for name, values in columns.items()})

    def arrays(self) -> dict[str, np.ndarray]:
        """All rows as one array per column."""
        return {
            name: np.concatenate([np.zeros((0, *shape), dtype), *(batch[name] for batch in self._batches)])
            for name, (shape, dtype) in self._columns.items()
        }

    def _column(self, batch: Mapping[str, np.ndarray], name: str, rows: int) -> np.ndarray:
        shape, dtype = self._columns[name]
        defaults = {"index": NO_INDEX, "box_score": 1, "center_xy": 0, "size_wh": 0, "category_row": NO_CATEGORY_ROW,
                    "box_wh": np.nan, "object_area": np.nan}  # fmt: skip
        if name not in batch:
            if name not in defaults:
                raise DataError(f"predictions lack the column {name!r}; they have {sorted(batch)}.")
            return np.full((rows, *shape), defaults[name], dtype)
        values = np.asarray(batch[name], dtype=dtype)
        if values.size != rows * int(np.prod(shape)):
            raise DataError(f"predictions: {name} has shape {values.shape}, expected {(rows, *shape)}.")
        return values.reshape((rows, *shape))

    def _is_new(self, index: int) -> bool:
        if index == NO_INDEX:
            return True
        if index in self._seen:
            return False
        self._seen.add(index)
        return True


def person_scores(keypoint_scores: np.ndarray, box_scores: np.ndarray, threshold: float) -> np.ndarray:
    """Score of each person: box score times the mean of the keypoint scores above `threshold` (0 when none is).

    Args:
        keypoint_scores: (N,K).
        box_scores: (N,).
        threshold: only keypoints with a higher score count.

    Returns:
        (N,) float64.
    """
    counted = keypoint_scores > threshold
    total = np.where(counted, keypoint_scores, 0).sum(axis=1, dtype=np.float64)
    return np.asarray(box_scores, np.float64) * total / np.maximum(counted.sum(axis=1), 1)


def keep_distinct_persons(
    persons: Mapping[str, np.ndarray], scores: np.ndarray, sigmas: np.ndarray, nms: str, threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """OKS-NMS: suppress duplicate persons within each image.

    Args:
        persons: columns of `PersonInstances.arrays()`.
        scores: (N,) person scores.
        sigmas: (K,) OKS sigmas.
        nms: "hard" drops a person whose OKS with a better one is above `threshold`; "soft" lowers its score and keeps at most
            20 persons per image, as COCO does; "none" keeps all.
        threshold: OKS threshold.

    Returns:
        Row numbers to keep, by image and best first; and (N,) scores after NMS.
    """
    scores = np.asarray(scores, np.float64).copy()
    kept = []
    for image_id in np.unique(persons["image_id"]):
        rows = np.flatnonzero(persons["image_id"] == image_id)
        poses = (persons["keypoints"][rows], scores[rows], persons["area"][rows], sigmas)
        if nms == "hard":
            chosen = oks_nms(*poses, threshold)
        elif nms == "soft":
            chosen, lowered = soft_oks_nms(*poses, threshold)
            scores[rows[chosen]] = lowered
        else:
            chosen = np.argsort(-scores[rows], kind="stable")
        kept.append(rows[chosen])
    return np.concatenate([np.zeros(0, np.int64), *kept]), scores


class CollectedPersons:
    """Base of top-down metrics, which collect predictions in the `PersonInstances` table `persons`."""

    skeleton: Skeleton
    with_truth = False

    def reset(self) -> None:
        """Discard all collected predictions."""
        self.persons = PersonInstances(self.skeleton.num_keypoints, self.with_truth)

    def state(self) -> dict[str, np.ndarray]:
        """The collected predictions as numeric arrays for another process; each metric defines its image_id."""
        return self.persons.arrays()

    def merge(self, states: Sequence[Mapping[str, np.ndarray]]) -> None:
        """Add the `state()` of other processes, except samples that are already there (by index)."""
        for state in states:
            if len(state["image_id"]):
                self.persons.add(state)
