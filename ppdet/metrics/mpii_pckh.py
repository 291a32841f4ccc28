"""PCKh of a top-down model on MPII, against the `mpii_gt_val.mat` of the HRNet authors.

Axes: N persons, K = 16 keypoints. The .mat counts pixels from 1, predictions from 0.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Mapping, Sequence

import numpy as np

from ppdet.core.errors import ConfigError, DataError
from ppdet.core.registry import register
from ppdet.metrics.pckh import correct_within, head_sizes
from ppdet.metrics.person_instances import PersonInstances
from ppdet.metrics.report import markdown_row
from ppdet.metrics.result_file import write_results
from ppdet.skeletons import Skeleton, get_skeleton

RESULT_FILE = "keypoints_results.json"
TRUTH_FILE = "mpii_gt_val.mat"
# Pelvis and thorax are not scored: they are not annotated independently.
UNSCORED = ("pelvis", "thorax")
GROUPS = {"Head": ("head_top",), "Shoulder": ("shoulder",), "Elbow": ("elbow",), "Wrist": ("wrist",), "Hip": ("hip",),
          "Knee": ("knee",), "Ankle": ("ankle",)}  # fmt: skip


@register
class KeyPointTopDownMPIIEval:
    """PCKh@0.5 by body part, their mean over all scored keypoints, and PCKh@0.1.

    PaddleDetection prints as PCKh@0.1 what is counted within 0.11; here 0.1 is 0.1.

    Args:
        anno_file: MPII annotation JSON (a list of persons); `mpii_gt_val.mat` must lie beside it.
        num_samples: accepted for PaddleDetection's sake.
        num_joints: 16.
        output_eval: folder for `keypoints_results.json`; None writes only through `save`.
        oks_thre: accepted for PaddleDetection's sake; nothing is suppressed here.
        save_prediction_only: write the predictions and skip the evaluation.
        skeleton: must have MPII's names.

    Raises:
        ConfigError: the skeleton is not MPII's.
        DataError: a file is missing or does not read.
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
        self.truth = None if save_prediction_only else _read_truth(Path(anno_file).parent / TRUTH_FILE)
        self.image_ids = _read_image_ids(Path(anno_file))
        self.output_eval = None if output_eval is None else Path(output_eval)
        self.stats: dict[str, float] = {}
        self.reset()

    def reset(self) -> None:
        """Forget all collected predictions."""
        self.persons = PersonInstances(self.skeleton.num_keypoints)

    def update(self, batch: Mapping[str, np.ndarray]) -> None:
        """Collect one batch: keypoints (B,16,3), area (B,) and index (B,), the person's row in the annotation file."""
        if "index" not in batch:
            raise DataError("MPII predictions need `index`, the person's row in the annotation file.")
        self.persons.add({**batch, "image_id": np.asarray(batch["index"])})

    def state(self) -> dict[str, np.ndarray]:
        """What was collected, as arrays to be sent to another process."""
        return self.persons.arrays()

    def merge(self, states: Sequence[Mapping[str, np.ndarray]]) -> None:
        """Take in the `state()` of other processes; persons already present are dropped."""
        for state in states:
            if len(state["index"]):
                self.persons.add(state)

    def results(self) -> list[dict[str, Any]]:
        """One entry a person: image_id, keypoints (flat x, y, score), score."""
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
        """PCKh in percent by body part, "PCKh" and "PCKh@0.1". Empty with `save_prediction_only`."""
        if self.output_eval is not None:
            self.save(self.output_eval)
        if self.truth is None:
            return {}
        persons = self.persons.arrays()
        rows = persons["index"]
        if len(rows) != len(self.truth["xy"]) or sorted(rows.tolist()) != list(range(len(rows))):
            raise DataError(
                f"{len(rows)} MPII persons were predicted, {TRUTH_FILE} holds {len(self.truth['xy'])}: evaluate the "
                "whole annotation file that belongs to it."
            )
        truth = {name: values[rows] for name, values in self.truth.items()}
        self.stats = self._figures(persons["keypoints"][..., :2] + 1, truth)
        return dict(self.stats)

    def _figures(self, xy: np.ndarray, truth: Mapping[str, np.ndarray]) -> dict[str, float]:
        correct, labelled = correct_within(xy, truth["xy"], truth["visible"], truth["head_size"], 0.5)
        share = 100 * correct / np.maximum(labelled, 1)
        figures = {
            group: float(np.mean([share[i] for i, name in enumerate(self.skeleton.names) if name.endswith(endings)]))
            for group, endings in GROUPS.items()
        }
        scored = np.array([name not in UNSCORED for name in self.skeleton.names])
        figures["PCKh"] = float(100 * correct[scored].sum() / labelled[scored].sum())
        fine, _ = correct_within(xy, truth["xy"], truth["visible"], truth["head_size"], 0.1)
        figures["PCKh@0.1"] = float(100 * fine[scored].sum() / labelled[scored].sum())
        return figures

    def save(self, path: str | Path) -> Path:
        """Write `keypoints_results.json` (into `path` if it is a folder) and return where it is."""
        return write_results(path, RESULT_FILE, self.results())

    def report(self) -> str:
        """The figures as a markdown row."""
        return markdown_row(list(self.stats), list(self.stats.values())) if self.stats else "no evaluation was made"


def _read_image_ids(path: Path) -> list[Any]:
    if not path.is_file():
        raise DataError(f"annotation file not found: {path}. Set `EvalDataset.dataset_dir` and `EvalDataset.anno_path`.")
    records = json.loads(path.read_text(encoding="utf-8"))
    return [record.get("image_id", Path(str(record.get("image", row))).stem) for row, record in enumerate(records)]


def _read_truth(path: Path) -> dict[str, np.ndarray]:
    """xy (N,16,2) counted from 1, visible (N,16), head_size (N,)."""
    if not path.is_file():
        raise DataError(f"{path} not found: MPII's ground truth must lie beside the annotation file.")
    try:
        from scipy.io import loadmat
    except ImportError as error:
        raise DataError("reading mpii_gt_val.mat needs scipy: pip install scipy") from error
    content = loadmat(path)
    boxes = content["headboxes_src"]  # (2 corners, 2, N)
    return {
        "xy": np.transpose(content["pos_gt_src"], (2, 0, 1)),
        "visible": 1 - content["jnt_missing"].T.astype(np.int64),
        "head_size": head_sizes(np.concatenate([boxes[0], boxes[1]]).T),
    }
