"""PCKh against the figures of the MPII evaluation kit (Tompson et al., CVPR 2015, ground truth of MPII)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from shared_data import shared

from ppdet.core.errors import ConfigError, DataError
from ppdet.metrics.mpii_pckh import KeyPointTopDownMPIIEval


@pytest.fixture()
def anno_file(tmp_path: Path) -> Path:
    pytest.importorskip("scipy")
    shutil.copy(shared("data", "metrics", "mpii_pckh", "detections_our_format.mat"), tmp_path / "mpii_gt_val.mat")
    path = tmp_path / "mpii_val.json"
    path.write_text(json.dumps([{"image": f"{i:05d}.jpg"} for i in range(2958)]))
    return path


def published_detections() -> np.ndarray:
    from scipy.io import loadmat

    content = loadmat(shared("data", "metrics", "mpii_pckh", "detections_our_format.mat"))
    xy = np.transpose(content["pos_pred_src"], (2, 0, 1)) - 1
    return np.concatenate([xy, np.ones((*xy.shape[:2], 1))], axis=2)


def test_figures_of_tompson(anno_file: Path, tmp_path: Path) -> None:
    metric = KeyPointTopDownMPIIEval(anno_file, output_eval=tmp_path / "out")
    keypoints = published_detections()
    other = KeyPointTopDownMPIIEval(anno_file)
    for target, rows in ((metric, np.arange(2000)), (other, np.arange(1990, 2958)[::-1])):  # overlap: counted once
        target.update({"index": rows, "keypoints": keypoints[rows], "area": np.ones(len(rows))})
    metric.merge([other.state()])
    stats = metric.compute()
    expected = [95.600, 92.714, 83.365, 76.736, 81.928, 73.363, 65.446, 82.337, 28.975]
    assert list(stats.values()) == pytest.approx(expected, abs=2e-3)
    assert "| Head | Shoulder |" in metric.report()
    assert len(json.loads((tmp_path / "out" / "keypoints_results.json").read_text())) == 2958


def test_mistakes_are_named(anno_file: Path, tmp_path: Path) -> None:
    metric = KeyPointTopDownMPIIEval(anno_file)
    metric.update({"index": [0], "keypoints": np.zeros((1, 16, 3)), "area": [1]})
    with pytest.raises(DataError, match="1 MPII persons were predicted"):
        metric.compute()
    with pytest.raises(ConfigError, match="coco17"):
        KeyPointTopDownMPIIEval(anno_file, skeleton="coco17")
    with pytest.raises(DataError, match="mpii_gt_val.mat not found"):
        KeyPointTopDownMPIIEval(tmp_path / "elsewhere" / "mpii_val.json")
