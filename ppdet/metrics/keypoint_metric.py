"""Base of keypoint AP metrics: from result entries to figures, result file and text.

Axes: K keypoints.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping, Sequence

import numpy as np

from ppdet.core.errors import ConfigError
from ppdet.metrics.coco_evaluation import KEYPOINT_HEADER, KEYPOINT_STATS, evaluate_coco
from ppdet.metrics.coco_ground_truth import POSE_CATEGORY, CocoGroundTruth
from ppdet.metrics.keypoint_diagnostics import coinciding, keypoint_table, per_keypoint_scores
from ppdet.metrics.result_file import ResultMetric, markdown_row
from ppdet.skeletons import Skeleton, get_skeleton


class KeypointMetric(ResultMetric):
    """Average precision by object keypoint similarity (OKS), for any skeleton. Subclasses collect and give `results`.

    Args:
        anno_file: COCO annotation file. Objects without area or box are completed, which `report()` mentions.
        num_joints: number of keypoints K; None for the skeleton's, otherwise checked against it.
        output_eval: folder for the result file; None writes only through `save`.
        save_prediction_only: write the predictions and skip the evaluation.
        skeleton: names and OKS sigmas of the keypoints; None takes `default_skeleton`.
        category: id or name (or a list) of the categories to evaluate, as in the dataset; None for all that declare keypoints.
            They are evaluated as one category.
        per_keypoint: also compute the table per keypoint.

    Raises:
        ConfigError: `num_joints` contradicts the skeleton.
        DataError: the annotation file is missing, unreadable, or has another number of keypoints.
    """

    main = "AP"
    result_file = "keypoints_results.json"
    header: Sequence[str] = KEYPOINT_HEADER
    stat_names: Sequence[str] = KEYPOINT_STATS
    default_skeleton = "coco17"
    areas_of_file = True

    def __init__(
        self,
        anno_file: str | Path,
        num_joints: int | None = None,
        output_eval: str | Path | None = None,
        save_prediction_only: bool = False,
        skeleton: Skeleton | str | Mapping[str, Any] | None = None,
        category: Any = None,
        per_keypoint: bool = True,
    ) -> None:
        self.skeleton = get_skeleton(self.default_skeleton if skeleton is None else skeleton)
        if num_joints not in (None, self.skeleton.num_keypoints):
            raise ConfigError(
                f"{type(self).__name__}: num_joints is {num_joints}, but skeleton {self.skeleton.name!r} has "
                f"{self.skeleton.num_keypoints} keypoints. Set one of them right."
            )
        self.ground_truth = CocoGroundTruth(anno_file, self.skeleton.num_keypoints, self.areas_of_file, category)
        self.output_eval = None if output_eval is None else Path(output_eval)
        self.save_prediction_only = bool(save_prediction_only)
        self.per_keypoint = bool(per_keypoint)
        self.stats: dict[str, float] = {}
        self.keypoint_scores: dict[str, np.ndarray] = {}
        self.reset()

    def reset(self) -> None:
        """Discard all collected predictions."""
        raise TypeError(f"{type(self).__name__} must define reset")

    def score(self, results: Sequence[dict[str, Any]]) -> dict[str, float]:
        """The figures of result entries, such as those of an older result file.

        Raises:
            DataError: an image id is not in the annotation file.
        """
        numbered = self.ground_truth.for_coco(results)
        self.stats = self._figures(numbered)
        if self.per_keypoint:
            objects = self.ground_truth.coco.dataset["annotations"]
            self.keypoint_scores = per_keypoint_scores(objects, numbered, self.skeleton.sigmas)
        return dict(self.stats)

    def _figures(self, results: Sequence[dict[str, Any]]) -> dict[str, float]:
        """The figures of entries from `CocoGroundTruth.for_coco`."""
        return evaluate_coco(self.ground_truth.coco, results, "keypoints", [POSE_CATEGORY], self.skeleton.sigmas)

    def report(self) -> str:
        """The figures as a Markdown row, then notes and the table per keypoint."""
        if not self.stats:
            return "no evaluation was made"
        parts = [markdown_row(self.header, [self.stats[name] for name in self.stat_names])]
        parts += [f"note: {note}" for note in self.notes()]
        if self.keypoint_scores:
            parts.append(keypoint_table(self.skeleton.names, self.keypoint_scores))
        return "\n".join(parts)

    def notes(self) -> list[str]:
        """Sentences on the OKS sigmas, completed or skipped annotations, meaningless figures, and keypoints that coincide."""
        objects = self.ground_truth.coco.dataset["annotations"]
        counted = any(a["num_keypoints"] and not a["iscrowd"] for a in objects)
        nobody = f"nobody in {self.ground_truth.path.name} has labelled keypoints that count: no figure means anything"
        together: list[str] = []
        if self.keypoint_scores:
            together = coinciding(self.keypoint_scores["matched_xy"], self.keypoint_scores["truth"], self.skeleton.names)
        sigmas = f"OKS sigmas, which AP depends on: {self.skeleton.sigma_note}"
        return [sigmas, *self.ground_truth.notes, *([] if counted else [nobody]), *together]

