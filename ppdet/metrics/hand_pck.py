"""PCK, AUC and end-point error of a top-down model, as for the hands of COCO-WholeBody.

The ground truth comes with the samples, so this works for any dataset of single objects. Figures as in Jin et al., ECCV 2020,
and MMPose: PCK and AUC are means over keypoints of the fraction of objects; the end-point error is the mean over all labelled
points.

Axes: B samples of a batch, N samples collected, K keypoints. Coordinates are image pixels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping

import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import DataError
from ppdet.geometry.crop import BOX_PADDING
from ppdet.metrics.keypoint_diagnostics import coinciding
from ppdet.metrics.pckh import AUC_STEPS, correct_within, pck_table
from ppdet.metrics.person_instances import CollectedPersons
from ppdet.metrics.result_file import markdown_row, write_results
from ppdet.skeletons import Skeleton, get_skeleton

RESULT_FILE = "keypoints_results.json"
PCK_THRESHOLD = 0.2
AUC_PIXELS = 30.0


@register
class KeyPointTopDownCOCOWholeBadyHandEval(CollectedPersons):
    """PCK@0.2 of the longer box side, AUC of PCK up to 30 pixels, and the mean distance EPE. (The name is PaddleDetection's.)

    Args:
        anno_file: PaddleDetection's key; not used, since the ground truth comes with the samples.
        num_samples, num_joints: PaddleDetection's keys; not used.
        output_eval: folder for `keypoints_results.json`; None writes only through `save`.
        save_prediction_only: write the predictions and skip the evaluation.
        skeleton: the keypoints.
    """

    __shared__ = ["num_joints", "skeleton", "save_prediction_only"]
    main = "PCK"
    with_truth = True
    result_file = RESULT_FILE

    def __init__(
        self,
        anno_file: str | Path | None = None,
        num_samples: int | None = None,
        num_joints: int | None = None,
        output_eval: str | Path | None = None,
        save_prediction_only: bool = False,
        *,
        skeleton: Skeleton | str | Mapping[str, Any] = "hand21",
    ) -> None:
        self.skeleton = get_skeleton(skeleton)
        self.output_eval = None if output_eval is None else Path(output_eval)
        self.save_prediction_only = bool(save_prediction_only)
        self.stats: dict[str, float] = {}
        self.reset()

    def update(self, batch: Mapping[str, np.ndarray]) -> None:
        """Collect one batch: keypoints (B,K,3), truth_xy (B,K,2), visible (B,K), size_wh (B,2), image_id, index and area (B,).

        Raises:
            DataError: a column is missing; the ground truth is missing if the reader's transforms do not crop by `TopDownAffine`.
        """
        image_ids = np.asarray(batch["image_id"]).reshape(-1)
        if image_ids.dtype.kind not in "iu":
            raise DataError(f"image ids must be whole numbers here, given {image_ids[:3].tolist()}.")
        self.persons.add(batch)

    def results(self) -> list[dict[str, Any]]:
        """One entry per sample: image_id, index, keypoints (flat x, y, score), score."""
        persons = self.persons.arrays()
        return [
            {
                "image_id": int(image_id),
                "index": int(index),
                "keypoints": np.round(keypoints.astype(np.float64), 4).reshape(-1).tolist(),
                "score": float(keypoints[:, 2].mean()),
            }
            for image_id, index, keypoints in zip(persons["image_id"], persons["index"], persons["keypoints"])
        ]

    def compute(self) -> dict[str, float]:
        """PCK and AUC from 0 to 1, EPE in pixels. Empty with `save_prediction_only`."""
        if self.output_eval is not None:
            self.save(self.output_eval)
        if self.save_prediction_only:
            return {}
        persons = self.persons.arrays()
        xy, truth, visible = persons["keypoints"][..., :2], persons["truth_xy"], persons["visible"] > 0
        pixels = np.full(len(xy), AUC_PIXELS)
        steps = [_mean_share(xy, truth, visible, pixels, step / AUC_STEPS) for step in range(AUC_STEPS)]
        distance = np.linalg.norm(xy.astype(np.float64) - truth, axis=-1)[visible]
        self.stats = {
            "PCK": _mean_share(xy, truth, visible, _longer_side(persons), PCK_THRESHOLD),
            "AUC": float(np.mean(steps)),
            "EPE": float(distance.mean()) if distance.size else float("nan"),
        }
        return dict(self.stats)

    def save(self, path: str | Path) -> Path:
        """Write `keypoints_results.json` (into `path` if it is a folder) and return its path."""
        return write_results(path, RESULT_FILE, self.results())

    def report(self) -> str:
        """The figures as a markdown row, notes, and the PCK of each keypoint."""
        if not self.stats:
            return "no evaluation was made"
        persons = self.persons.arrays()
        xy, visible = persons["keypoints"][..., :2], persons["visible"] > 0
        correct, labelled = correct_within(xy, persons["truth_xy"], visible, _longer_side(persons), PCK_THRESHOLD)
        truth = np.concatenate([persons["truth_xy"], visible[..., None]], axis=2)
        return "\n".join(
            [
                markdown_row(list(self.stats), list(self.stats.values())),
                *(f"note: {note}" for note in coinciding(xy, truth, self.skeleton.names)),
                pck_table(self.skeleton.names, correct, labelled),
            ]
        )


def _longer_side(persons: Mapping[str, np.ndarray]) -> np.ndarray:
    """(N,) longer side of each box, without its padding."""
    return persons["size_wh"].max(axis=1, initial=0) / BOX_PADDING


def _mean_share(xy: np.ndarray, truth: np.ndarray, visible: np.ndarray, unit: np.ndarray, threshold: float) -> float:
    """Mean over the labelled keypoints of the fraction of samples within `threshold` x `unit`; 0 without any."""
    correct, labelled = correct_within(xy, truth, visible, unit, threshold)
    share = correct[labelled > 0] / labelled[labelled > 0]
    return float(share.mean()) if share.size else 0.0
