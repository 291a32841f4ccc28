"""COCO keypoint AP of a bottom-up model, for people as grouped: without OKS-NMS or rescoring.

Axes: P people, K keypoints. Coordinates are image pixels.
Protocol: https://cocodataset.org/#keypoints-eval; Cheng et al., HigherHRNet, CVPR 2020.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import DataError
from ppdet.metrics.bottom_up_instances import BottomUpInstances
from ppdet.metrics.keypoint_metric import KeypointMetric


@register
class KeyPointBottomUpCOCOEval(KeypointMetric):
    """The ten COCO figures for people that are found without boxes. `metric: COCO` with `IouType: keypoints` means this one.

    Every image of the annotation file counts, including those without people and unreadable ones. COCOeval uses the 20 people
    with the highest scores per image. The file is `keypoint.json`, PaddleDetection's name.

    Args:
        as at `KeypointMetric`.
    """

    __shared__ = ["num_joints", "skeleton", "save_prediction_only"]
    result_file = "keypoint.json"

    def reset(self) -> None:
        """Discard all collected people."""
        self.people = BottomUpInstances(self.skeleton.num_keypoints)

    def update(self, batch: Mapping[str, np.ndarray]) -> None:
        """Collect the people of some images; all people of an image must be in one call.

        Args:
            batch: image_id (P,), keypoints (P,K,3) of x, y, score, and score (P,), one row per person; optional evaluated
                (E,), ids of the evaluated images, with or without people. Images given twice count once.

        Raises:
            DataError: an image id is not in the annotation file, or a column is missing or has the wrong shape.
        """
        missing = {"image_id", "keypoints", "score"} - set(batch)
        if missing:
            raise DataError(f"predictions lack the column(s) {', '.join(sorted(missing))}; they have {sorted(batch)}.")
        rows_of = self.ground_truth.image_rows
        evaluated = rows_of(batch["evaluated"]) if "evaluated" in batch else np.zeros(0, np.int64)
        self.people.add(rows_of(batch["image_id"]), batch["keypoints"], batch["score"], evaluated)

    def state(self) -> dict[str, np.ndarray]:
        """The collected predictions as numeric arrays for another process; ids are rows of the annotation file."""
        return self.people.arrays()

    def merge(self, states: Sequence[Mapping[str, np.ndarray]]) -> None:
        """Add the `state()` of other processes, except images that are already there."""
        for state in states:
            self.people.merge(state)

    def results(self) -> list[dict[str, Any]]:
        """COCO result entries in the image order of the annotation file."""
        people = self.people.arrays()
        points = np.round(people["keypoints"].astype(np.float64), 4)
        flat = points.reshape(len(points), 3 * self.skeleton.num_keypoints).tolist()
        ids, category = self.ground_truth.image_ids, self.ground_truth.category_of(-1)
        return [
            {"image_id": ids[row], "category_id": category, "keypoints": keypoints, "score": score}
            for row, keypoints, score in zip(people["image_id"].tolist(), flat, people["score"].tolist())
        ]

    def notes(self) -> list[str]:
        """Also the number of people with values that are not finite, and the category of the result file if there are several."""
        dropped, evaluated = self.people.not_finite, self.ground_truth.evaluated
        several = f"people found are of no known category: the result file says {evaluated[:1]}, they are evaluated as one kind"
        lost = f"{dropped} predicted people have numbers that are not finite and were left out: has the model diverged?"
        return [*super().notes(), *([lost] if dropped else []), *([several] if len(evaluated) > 1 else [])]
