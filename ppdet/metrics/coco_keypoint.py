"""COCO keypoint AP of a top-down model (the OKS protocol), for any skeleton.

Axes: B persons of a batch, N persons collected, K keypoints. Coordinates are image pixels.
Protocol: https://cocodataset.org/#keypoints-eval; person score, suppression and file as in the HRNet authors' release
(Sun et al., CVPR 2019), which PaddleDetection follows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping, Sequence

import numpy as np

from ppdet.core.errors import ConfigError
from ppdet.core.logger import get_logger
from ppdet.core.registry import register
from ppdet.metrics.coco_evaluation import KEYPOINT_STATS, evaluate_coco
from ppdet.metrics.coco_ground_truth import CocoGroundTruth
from ppdet.metrics.keypoint_diagnostics import per_keypoint_scores
from ppdet.metrics.person_instances import PersonInstances, keep_distinct_persons, person_scores
from ppdet.metrics.report import KEYPOINT_HEADER, keypoint_table, markdown_row
from ppdet.metrics.result_file import write_results
from ppdet.skeletons import Skeleton, get_skeleton

logger = get_logger(__name__)

RESULT_FILE = "keypoints_results.json"


@register
class KeyPointTopDownCOCOEval:
    """Average precision of keypoints over OKS .50:.05:.95.

    The score of a person is its box score times the mean of its keypoint scores above `in_vis_thre`. Persons that
    repeat another one of the image are suppressed by OKS before COCOeval sees them.

    Args:
        anno_file: COCO annotation file. Objects without area or box are completed, and `report()` says so.
        num_samples: accepted for PaddleDetection's sake; nothing is pre-allocated here.
        num_joints: keypoints K; None takes the skeleton's, a number is checked against it.
        output_eval: folder for `keypoints_results.json`; None writes only through `save`.
        iou_type: "keypoints".
        in_vis_thre: keypoints at or below this score do not count in the person score.
        oks_thre: OKS above which the lower-scored person is suppressed (hard) or lowered in score (soft).
        save_prediction_only: write the predictions and skip the evaluation.
        skeleton: names and OKS sigmas of the keypoints.
        nms: "hard" (PaddleDetection), "soft", or "none".
        category_id: category of the objects; None takes the only category of the file that has keypoints, else 1.
        per_keypoint: also compute the table of single keypoints.

    Raises:
        ConfigError: unknown `nms` or `iou_type`, or `num_joints` contradicts the skeleton.
        DataError: annotation file missing, unreadable, or with another number of keypoints.
    """

    __shared__ = ["num_joints", "skeleton", "save_prediction_only"]
    main = "AP"
    result_file = RESULT_FILE

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
        category_id: int | None = None,
        per_keypoint: bool = True,
    ) -> None:
        self.skeleton = get_skeleton(skeleton)
        _check_options(self.skeleton, num_joints, iou_type, nms)
        self.ground_truth = CocoGroundTruth(anno_file, self.skeleton.num_keypoints)
        self.category_id = _object_category(self.ground_truth) if category_id is None else int(category_id)
        self.output_eval = None if output_eval is None else Path(output_eval)
        self.in_vis_thre, self.oks_thre, self.nms = float(in_vis_thre), float(oks_thre), nms
        self.save_prediction_only = bool(save_prediction_only)
        self.per_keypoint = bool(per_keypoint)
        self.stats: dict[str, float] = {}
        self.keypoint_scores: dict[str, np.ndarray] = {}
        self.reset()

    def reset(self) -> None:
        """Forget all collected predictions."""
        self.persons = PersonInstances(self.skeleton.num_keypoints)

    def update(self, batch: Mapping[str, np.ndarray]) -> None:
        """Collect one batch.

        Args:
            batch: image_id (B,), keypoints (B,K,3) of x, y, score, box_score (B,), area (B,) of the person's crop box;
                optional index (B,), the number of the sample in the dataset: a sample given twice counts once
                (distributed samplers pad by repeating); optional center_xy and size_wh (B,2), only written to the file.

        Raises:
            DataError: an image id that the annotation file does not have, or arrays of the wrong shape.
        """
        self.persons.add({**batch, "image_id": self.ground_truth.image_rows(batch["image_id"])})

    def state(self) -> dict[str, np.ndarray]:
        """What was collected, as arrays of numbers for another process; image_id is the row in the annotation file."""
        return self.persons.arrays()

    def merge(self, states: Sequence[Mapping[str, np.ndarray]]) -> None:
        """Take in the `state()` of other processes; samples already present (by index) are dropped."""
        for state in states:
            if len(state["image_id"]):
                self.persons.add(state)

    def results(self) -> list[dict[str, Any]]:
        """COCO result entries after rescoring and suppression, in the order of images and scores."""
        persons = self.persons.arrays()
        scores = person_scores(persons["keypoints"][..., 2], persons["box_score"], self.in_vis_thre)
        chosen, scores = keep_distinct_persons(persons, scores, self.skeleton.sigmas, self.nms, self.oks_thre)
        return [self._entry(persons, index, scores[index]) for index in chosen]

    def _entry(self, persons: Mapping[str, np.ndarray], index: int, score: float) -> dict[str, Any]:
        return {
            "image_id": self.ground_truth.image_ids[persons["image_id"][index]],
            "category_id": self.category_id,
            "keypoints": np.round(persons["keypoints"][index].astype(np.float64), 4).reshape(-1).tolist(),
            "score": float(score),
            "center": np.round(persons["center_xy"][index].astype(np.float64), 3).tolist(),
            "scale": np.round(persons["size_wh"][index].astype(np.float64) / 200, 6).tolist(),
        }

    def compute(self) -> dict[str, float]:
        """Evaluate what was collected: the ten COCO figures, AP first.

        With `output_eval` the result file is written as well. With `save_prediction_only` that is all that happens, and
        the dict is empty.
        """
        results = self.results()
        if self.output_eval is not None:
            write_results(self.output_eval, RESULT_FILE, results)
        if self.save_prediction_only:
            logger.info("save_prediction_only: evaluation skipped, no AP")
            return {}
        return self.score(results)

    def score(self, results: Sequence[dict[str, Any]]) -> dict[str, float]:
        """The ten COCO figures of finished result entries, such as those of an older `keypoints_results.json`.

        Raises:
            DataError: an image id that the annotation file does not have.
        """
        coco = self.ground_truth.coco
        self.ground_truth.image_rows([entry["image_id"] for entry in results])
        self.stats = evaluate_coco(coco, results, "keypoints", [self.category_id], self.skeleton.sigmas)
        if self.per_keypoint:
            objects = [a for a in coco.dataset["annotations"] if a["category_id"] == self.category_id]
            self.keypoint_scores = per_keypoint_scores(objects, results, self.skeleton.sigmas)
        return dict(self.stats)

    def save(self, path: str | Path) -> Path:
        """Write `keypoints_results.json` (into `path` if it is a folder) and return where it is."""
        return write_results(path, RESULT_FILE, self.results())

    def report(self) -> str:
        """The ten figures as PaddleDetection's markdown row, then notes and the table of single keypoints."""
        if not self.stats:
            return "no evaluation was made"
        parts = [markdown_row(KEYPOINT_HEADER, [self.stats[name] for name in KEYPOINT_STATS])]
        parts += [f"note: {note}" for note in self.ground_truth.notes]
        if self.keypoint_scores:
            parts.append(keypoint_table(self.skeleton.names, self.keypoint_scores))
        return "\n".join(parts)


def _check_options(skeleton: Skeleton, num_joints: int | None, iou_type: str, nms: str) -> None:
    if iou_type != "keypoints":
        raise ConfigError(f"KeyPointTopDownCOCOEval: iou_type is {iou_type!r}, only 'keypoints' exists.")
    if nms not in ("hard", "soft", "none"):
        raise ConfigError(f"KeyPointTopDownCOCOEval: nms is {nms!r}, expected 'hard', 'soft' or 'none'.")
    if num_joints not in (None, skeleton.num_keypoints):
        raise ConfigError(
            f"KeyPointTopDownCOCOEval: num_joints is {num_joints}, but skeleton {skeleton.name!r} has "
            f"{skeleton.num_keypoints} keypoints. Set one of them right."
        )


def _object_category(ground_truth: CocoGroundTruth) -> int:
    labelled = {a["category_id"] for a in ground_truth.coco.dataset["annotations"] if a["num_keypoints"] > 0}
    return int(labelled.pop()) if len(labelled) == 1 else 1
