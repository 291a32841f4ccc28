"""COCO keypoint AP of a top-down model (the OKS protocol), for any skeleton.

Axes: B persons of a batch, N persons collected, K keypoints. Coordinates are image pixels.
Protocol: https://cocodataset.org/#keypoints-eval; person score, OKS-NMS and result file as in the HRNet authors' code (Sun et
    al., CVPR 2019), which PaddleDetection follows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping

import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.metrics.keypoint_metric import KeypointMetric
from ppdet.metrics.person_instances import CollectedPersons, keep_distinct_persons, person_scores
from ppdet.skeletons import Skeleton


@register
class KeyPointTopDownCOCOEval(CollectedPersons, KeypointMetric):
    """Average precision of keypoints over OKS .50:.05:.95: the ten COCO figures.

    The score of a person is its box score times the mean of its keypoint scores above `in_vis_thre`. Duplicate persons of an
    image are removed by OKS-NMS before COCOeval.

    Args:
        num_samples: PaddleDetection's key; not used.
        iou_type: "keypoints".
        in_vis_thre: keypoints with this or a lower score do not count in the person score.
        oks_thre: OKS above which the person with the lower score is dropped (hard) or loses score (soft).
        nms: "hard" (PaddleDetection), "soft", or "none".

    The others are described at `KeypointMetric`; the file is `keypoints_results.json`.

    Raises:
        ConfigError: unknown `nms` or `iou_type`, or `num_joints` contradicts the skeleton.
        DataError: the annotation file is missing, unreadable, or has another number of keypoints.
    """

    __shared__ = ["num_joints", "skeleton", "save_prediction_only"]

    def __init__(
        self,
        anno_file: str | Path,
        num_samples: int | None = None,
        num_joints: int | None = None,
        output_eval: str | Path | None = None,
        iou_type: str = "keypoints",
        in_vis_thre: float = 0.2,
        oks_thre: float = 0.9,
        save_prediction_only: bool = False,
        *,
        skeleton: Skeleton | str | Mapping[str, Any] = "coco17",
        nms: str = "hard",
        category: Any = None,
        per_keypoint: bool = True,
    ) -> None:
        if iou_type != "keypoints":
            raise ConfigError(f"KeyPointTopDownCOCOEval: iou_type is {iou_type!r}, only 'keypoints' exists.")
        if nms not in ("hard", "soft", "none"):
            raise ConfigError(f"KeyPointTopDownCOCOEval: nms is {nms!r}, expected 'hard', 'soft' or 'none'.")
        self.in_vis_thre, self.oks_thre, self.nms = float(in_vis_thre), float(oks_thre), nms
        super().__init__(anno_file, num_joints, output_eval, save_prediction_only, skeleton, category, per_keypoint)

    def update(self, batch: Mapping[str, np.ndarray]) -> None:
        """Collect one batch.

        Args:
            batch: image_id (B,), keypoints (B,K,3) of x, y, score, box_score (B,), area (B,) of the person's crop box;
                optional index (B,), the number of the sample in the dataset: samples given twice count once (distributed
                samplers repeat samples as padding); optional center_xy and size_wh (B,2) and category_row (B,), row of the
                object's category in the annotation file, which are only written to the result file.

        Raises:
            DataError: an image id is not in the annotation file, or arrays have the wrong shape.
        """
        self.persons.add({**batch, "image_id": self.ground_truth.image_rows(batch["image_id"])})

    def results(self) -> list[dict[str, Any]]:
        """COCO result entries after rescoring and OKS-NMS, sorted by image and score."""
        persons = self.persons.arrays()
        scores = person_scores(persons["keypoints"][..., 2], persons["box_score"], self.in_vis_thre)
        chosen, scores = keep_distinct_persons(persons, scores, self.skeleton.sigmas, self.nms, self.oks_thre)
        return [self._entry(persons, index, scores[index]) for index in chosen]

    def _entry(self, persons: Mapping[str, np.ndarray], index: int, score: float) -> dict[str, Any]:
        return {
            "image_id": self.ground_truth.image_ids[persons["image_id"][index]],
            "category_id": self.ground_truth.category_of(int(persons["category_row"][index])),
            "keypoints": np.round(persons["keypoints"][index].astype(np.float64), 4).reshape(-1).tolist(),
            "score": float(score),
            "center": np.round(persons["center_xy"][index].astype(np.float64), 3).tolist(),
            "scale": np.round(persons["size_wh"][index].astype(np.float64) / 200, 6).tolist(),
        }
