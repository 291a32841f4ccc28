"""PCKh of a top-down model on MPII, with the ground truth of the HRNet authors' release.

Axes: N persons, K = 16 keypoints. The .mat counts pixels from 1, predictions from 0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping

import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError, DataError
from ppdet.core.json_file import read_json
from ppdet.core.logger import get_logger
from ppdet.metrics.mpii_truth import find_truth, read_truth, write_predictions
from ppdet.metrics.pckh import correct_within
from ppdet.metrics.person_instances import CollectedPersons
from ppdet.metrics.result_file import write_results
from ppdet.skeletons import Skeleton, get_skeleton

logger = get_logger(__name__)

RESULT_FILE = "keypoints_results.json"
PUBLISHED_FINE = 0.11
"""Threshold of every published "PCKh@0.1" of MPII: the evaluation code uses entry 11 of 0, 0.01, ..., 0.5."""
# Pelvis and thorax are not scored: they are not annotated independently.
UNSCORED = ("pelvis", "thorax")
GROUPS = {"Head": ("head_top",), "Shoulder": ("shoulder",), "Elbow": ("elbow",), "Wrist": ("wrist",), "Hip": ("hip",),
          "Knee": ("knee",), "Ankle": ("ankle",)}  # fmt: skip


@register
class KeyPointTopDownMPIIEval(CollectedPersons):
    """PCKh@0.5 by body part, the mean over all scored keypoints, and the fine mean as published and as named.

    Papers and PaddleDetection print "PCKh@0.11" as Mean@0.1; "PCKh@0.1" really uses 0.1. Persons without a prediction, such as
    those of unreadable images, count as wrong.

    Args:
        anno_file: MPII annotation JSON (a list of persons); `mpii_gt_val.mat` or `gt_valid.mat` must lie beside it.
        num_samples: PaddleDetection's key; not used.
        num_joints: 16.
        output_eval: folder for `keypoints_results.json` and `pred.mat`; None writes only through `save`.
        oks_thre: PaddleDetection's key; not used, since there is no NMS.
        save_prediction_only: write the predictions and skip the evaluation.
        skeleton: must have MPII's names.

    Raises:
        ConfigError: the skeleton is not MPII's.
        DataError: a file is missing or unreadable.
    """

    __shared__ = ["num_joints", "skeleton", "save_prediction_only"]
    main = "PCKh"

    def __init__(
        self,
        anno_file: str | Path,
        num_samples: int | None = None,
        num_joints: int | None = None,
        output_eval: str | Path | None = None,
        oks_thre: float = 0.9,
        save_prediction_only: bool = False,
        *,
        skeleton: Skeleton | str | Mapping[str, Any] = "mpii16",
    ) -> None:
        self.skeleton = get_skeleton(skeleton)
        if self.skeleton.names != get_skeleton("mpii16").names or num_joints not in (None, 16):
            raise ConfigError(
                f"KeyPointTopDownMPIIEval scores MPII's 16 keypoints; the config has skeleton {self.skeleton.name!r} "
                f"and num_joints {num_joints}. Set `skeleton: mpii16`, or another metric."
            )
        self.image_ids = _read_image_ids(Path(anno_file))
        self.truth = None if save_prediction_only else self._truth_of(Path(anno_file))
        self.output_eval = None if output_eval is None else Path(output_eval)
        self.stats: dict[str, float] = {}
        self.reset()

    def update(self, batch: Mapping[str, np.ndarray]) -> None:
        """Collect one batch: keypoints (B,16,3), area (B,) and index (B,), the person's row in the annotation file."""
        if "index" not in batch:
            raise DataError("MPII predictions need `index`, the person's row in the annotation file.")
        self.persons.add({**batch, "image_id": np.asarray(batch["index"])})

    def results(self) -> list[dict[str, Any]]:
        """One entry per person: image_id, keypoints (flat x, y, score), score."""
        persons = self.persons.arrays()
        return [
            {
                "image_id": self.image_ids[row] if row < len(self.image_ids) else int(row),
                "keypoints": np.round(keypoints.astype(np.float64), 4).reshape(-1).tolist(),
                "score": float(keypoints[:, 2].mean()),
            }
            for row, keypoints in zip(persons["index"], persons["keypoints"])
        ]

    def compute(self) -> dict[str, float]:
        """Figures in percent: every body part, "PCKh", "PCKh@0.11", "PCKh@0.1". Empty with `save_prediction_only`.

        Raises:
            DataError: there are predictions for persons that are not in the ground truth.
        """
        if self.output_eval is not None:
            self.save(self.output_eval)
        if self.truth is None:
            return {}
        xy, predicted = self._one_based()
        if not predicted.all():
            logger.warning("%d of %d persons were not predicted and count as wrong", (~predicted).sum(), len(predicted))
        self.stats = self._figures(xy, self.truth)
        return dict(self.stats)

    def _one_based(self) -> tuple[np.ndarray, np.ndarray]:
        """(N,16,2) predictions in the annotation file's order, pixels counted from 1, NaN for missing ones; (N,) predicted."""
        persons = self.persons.arrays()
        xy = np.full((len(self.image_ids), self.skeleton.num_keypoints, 2), np.nan)
        beyond = persons["index"][(persons["index"] < 0) | (persons["index"] >= len(xy))]
        if len(beyond):
            raise DataError(f"a prediction is of person {beyond[0]}, the annotation file has {len(xy)}.")
        xy[persons["index"]] = persons["keypoints"][..., :2].astype(np.float64) + 1
        return xy, ~np.isnan(xy[:, 0, 0])

    def _figures(self, xy: np.ndarray, truth: Mapping[str, np.ndarray]) -> dict[str, float]:
        within = {
            threshold: correct_within(xy, truth["xy"], truth["visible"], truth["head_size"], threshold)
            for threshold in (0.5, PUBLISHED_FINE, 0.1)
        }
        correct, labelled = within[0.5]
        share = 100 * correct / np.maximum(labelled, 1)
        figures = {
            group: float(np.mean([share[i] for i, name in enumerate(self.skeleton.names) if name.endswith(endings)]))
            for group, endings in GROUPS.items()
        }
        scored = np.array([name not in UNSCORED for name in self.skeleton.names])
        for name, threshold in (("PCKh", 0.5), ("PCKh@0.11", PUBLISHED_FINE), ("PCKh@0.1", 0.1)):
            figures[name] = float(100 * within[threshold][0][scored].sum() / max(labelled[scored].sum(), 1))
        return figures

    def save(self, path: str | Path) -> Path:
        """Write `keypoints_results.json` (into `path` if it is a folder) and `pred.mat` beside it; return the JSON."""
        written = write_results(path, RESULT_FILE, self.results())
        matrix = write_predictions(written.parent, np.nan_to_num(self._one_based()[0], nan=-1.0))
        if matrix is not None:
            logger.info("the same, counted from 1, written to %s", matrix)
        return written

    def report(self) -> str:
        """The columns of the published tables in one row; Mean@0.1 as published and corrected."""
        if not self.stats:
            return "no evaluation was made"
        title = {"PCKh": "Mean", "PCKh@0.11": "Mean@0.1 (published, counted at 0.11)", "PCKh@0.1": "Mean@0.1 (counted at 0.1)"}
        header = [title.get(name, name) for name in self.stats]
        values = [f"{value:.3f}" for value in self.stats.values()]
        return "\n".join(("| " + " | ".join(header) + " |", "|" + "---|" * len(header), "| " + " | ".join(values) + " |"))

    def _truth_of(self, anno_file: Path) -> dict[str, np.ndarray]:
        path = find_truth(anno_file.parent)
        truth = read_truth(path)
        if len(truth["xy"]) != len(self.image_ids):
            raise DataError(
                f"{anno_file} lists {len(self.image_ids)} persons, {path} holds {len(truth['xy'])}: give the annotation file "
                "that belongs to it (mpii_val.json of 2958 persons), or --save_prediction_only"
            )
        return truth


def _read_image_ids(path: Path) -> list[Any]:
    records = read_json(path, "annotation file", "set `EvalDataset.dataset_dir` and `EvalDataset.anno_path`")
    if not isinstance(records, list):
        raise DataError(f"{path} holds a {type(records).__name__}; MPII's annotation file is a list of persons.")
    return [_image_id(record, row) for row, record in enumerate(records)]


def _image_id(record: Any, row: int) -> Any:
    if not isinstance(record, dict):
        return row  # the dataset reports and skips it
    return record.get("image_id", Path(str(record.get("image", row))).stem)
