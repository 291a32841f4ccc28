"""PCK, AUC and EPE on errors made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ppdet.core.errors import DataError
from ppdet.metrics.hand_pck import KeyPointTopDownCOCOWholeBadyHandEval

TRUTH = np.random.default_rng(0).uniform(20, 80, (4, 21, 2))


def batch_with(error: np.ndarray, visible: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Four samples in boxes of 100 pixels, off by `error` (4, 21) pixels along x."""
    keypoints = np.concatenate([TRUTH, np.ones((4, 21, 1))], axis=2)
    keypoints[..., 0] += error
    return {
        "image_id": np.arange(4), "index": np.arange(4), "keypoints": keypoints, "area": np.full(4, 1e4),
        "size_wh": np.full((4, 2), 125.0), "truth_xy": TRUTH,
        "visible": np.ones((4, 21)) if visible is None else visible,
    }  # fmt: skip


def figures(*batches: dict[str, np.ndarray]) -> dict[str, float]:
    metric = KeyPointTopDownCOCOWholeBadyHandEval()
    for batch in batches:
        metric.update(batch)
    return metric.compute()


def test_no_error() -> None:
    assert figures(batch_with(np.zeros((4, 21)))) == pytest.approx({"PCK": 1, "AUC": 1, "EPE": 0}, abs=1e-4)


def test_a_constant_error() -> None:
    """21 px: more than a fifth of 100; within 30 px x step / 20 for the steps 15 to 19 (14 gives 21.0, on the edge)."""
    got = figures(batch_with(np.full((4, 21), 21.3)))
    assert got == pytest.approx({"PCK": 0, "AUC": 5 / 20, "EPE": 21.3}, abs=1e-3)
    assert figures(batch_with(np.full((4, 21), 19.0)))["PCK"] == 1


def test_unlabelled_points_do_not_count_and_keypoints_weigh_the_same() -> None:
    error, visible = np.zeros((4, 21)), np.ones((4, 21))
    error[:, 0] = 500
    visible[1:, 0] = 0  # keypoint 0 is labelled once only, and wrong
    got = figures(batch_with(error, visible))
    assert got["PCK"] == pytest.approx(20 / 21)
    assert got["EPE"] == pytest.approx(500 / (20 * 4 + 1), rel=1e-3)


def test_duplicates_count_once_and_ranks_merge(tmp_path: Path) -> None:
    batch = batch_with(np.zeros((4, 21)))
    first, second = (KeyPointTopDownCOCOWholeBadyHandEval(output_eval=tmp_path) for _ in range(2))
    first.update({name: values[:3] for name, values in batch.items()})
    second.update({name: values[1:] for name, values in batch.items()})
    first.merge([second.state()])
    first.compute()
    assert [entry["index"] for entry in json.loads((tmp_path / "keypoints_results.json").read_text())] == [0, 1, 2, 3]


def test_truth_is_demanded() -> None:
    batch = batch_with(np.zeros((4, 21)))
    del batch["truth_xy"]
    with pytest.raises(DataError, match="truth_xy"):
        figures(batch)
