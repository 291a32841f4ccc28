"""Writes a model's boxes and keypoints as a COCO annotation file, marked as machine-made.

Legend: N people, K keypoints.
"""
from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ppdet.annotations.annotated_object import AREA_PER_BOX

if TYPE_CHECKING:
    from ppdet.inference.results import PoseResult
    from ppdet.skeletons import Skeleton

CATEGORY_ID = 1
DIGITS = 2


class MachineLabels:
    """Collects results, and creates the content of the annotation file.

    Annotations carry, beside COCO's keys, `machine_made: true`, `score` (of the box times the mean of the labelled keypoints)
    and `keypoint_scores`, so that they can be sorted by confidence for correction, and told from human labels.

    Args:
        skeleton: of the results.
        models: the models that made the labels, for `info`, such as {"detector": folder, "keypoints": folder}.
        keypoint_threshold: keypoints with a smaller score are left unlabelled (v = 0, at 0, 0).
        min_keypoints: people with fewer labelled keypoints are left out.
        category: name of the category.
    """

    def __init__(
        self, skeleton: Skeleton, models: Mapping[str, str], keypoint_threshold: float = 0.3, min_keypoints: int = 1,
        category: str = "person",
    ) -> None:
        self.skeleton, self.models, self.category = skeleton, dict(models), category
        self.keypoint_threshold, self.min_keypoints = keypoint_threshold, min_keypoints
        self.images: list[dict[str, Any]] = []
        self.annotations: list[dict[str, Any]] = []

    def add(self, result: PoseResult, file_name: str, image_id: int) -> int:
        """Add the people of one image, which is listed even without people; returns how many were added."""
        width, height = (int(side) for side in result.image_wh)
        self.images.append({"id": image_id, "file_name": file_name, "width": width, "height": height})
        before = len(self.annotations)
        for box, box_score, xy, scores in zip(result.boxes, result.box_scores, result.keypoints, result.scores):
            labelled = scores >= self.keypoint_threshold
            if labelled.sum() >= self.min_keypoints:
                entry = self._annotation(box, float(box_score), xy, scores, labelled)
                self.annotations.append({"id": len(self.annotations) + 1, "image_id": image_id, **entry})
        return len(self.annotations) - before

    def _annotation(
        self, box: np.ndarray, box_score: float, xy: np.ndarray, scores: np.ndarray, labelled: np.ndarray
    ) -> dict[str, Any]:
        """COCO's entry of a person: (4,) box xyxy, (K, 2) keypoints and their (K,) scores, (K,) which are labelled."""
        rows = np.column_stack([np.round(xy, DIGITS), np.full(len(xy), 2.0)]) * labelled[:, None]
        x, y, width, height = (round(float(v), DIGITS) for v in (box[0], box[1], box[2] - box[0], box[3] - box[1]))
        return {
            "category_id": CATEGORY_ID,
            "bbox": [x, y, width, height],
            "area": round(AREA_PER_BOX * width * height, DIGITS),
            "iscrowd": 0,
            "num_keypoints": int(labelled.sum()),
            "keypoints": [int(v) if v == int(v) else round(float(v), DIGITS) for v in rows.reshape(-1)],
            "machine_made": True,
            "score": round(box_score * (float(scores[labelled].mean()) if labelled.any() else 0.0), 4),
            "keypoint_scores": [round(float(score), 4) for score in scores],
        }

    def content(self, version: str) -> dict[str, Any]:
        """The annotation file as plain data.

        Args:
            version: of this toolkit.
        """
        links: Sequence[Sequence[int]] = [[a + 1, b + 1] for a, b in self.skeleton.links]
        return {
            "info": {
                "description": "Labels made by models, not checked by a person",
                "machine_made": True,
                "models": self.models,
                "keypoint_threshold": self.keypoint_threshold,
                "made_by": f"ppdet-keypoint {version}",
                "date_created": time.strftime("%Y-%m-%d"),
            },
            "categories": [
                {"id": CATEGORY_ID, "name": self.category, "keypoints": list(self.skeleton.names), "skeleton": links}
            ],
            "images": self.images,
            "annotations": self.annotations,
        }
