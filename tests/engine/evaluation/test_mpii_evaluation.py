"""tools/eval.py on a drawn MPII-style data set: both JSON dialects, known answers."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from support import pose_parts  # noqa: F401  (registers TwoConvs)
from support.mpii_parts import write_mpii
from support.oracle_model import Oracle

from ppdet.core.config.load import load_config
from ppdet.core.errors import ConfigError
from ppdet.engine.assembly import Assembly
from ppdet.engine.evaluation.evaluator import Evaluator
from ppdet.engine.weights.checkpoint import save_pdparams

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("key", ["joints", "gt_joints"])
@pytest.mark.parametrize("flip", [False, True])
def test_true_heatmaps_score_100(tmp_path: Path, key: str, flip: bool) -> None:
    config = load_config(write_mpii(tmp_path / "mpii", key), [f"TopDownHRNet.flip={str(flip).lower()}"])
    assembly = Assembly(config)
    figures = Evaluator(assembly, Oracle(assembly, flip), metric=assembly.metric(tmp_path / "out")).run()
    assert list(figures) == ["Head", "Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle", "PCKh", "PCKh@0.11", "PCKh@0.1"]
    assert list(figures.values()) == pytest.approx([100.0] * 10)


def test_an_unreadable_image_counts_as_wrong(tmp_path: Path) -> None:
    path = write_mpii(tmp_path / "mpii", "joints", persons=4)
    (tmp_path / "mpii" / "images" / "000000001.png").unlink()
    assembly = Assembly(load_config(path, ["TopDownHRNet.flip=false"]))
    figures = Evaluator(assembly, Oracle(assembly, False)).run()
    assert figures["Knee"] == pytest.approx(75) and figures["PCKh"] == pytest.approx(100 * (4 * 14 - 1 - 14) / (4 * 14 - 1))


def test_command_writes_json_and_mat(tmp_path: Path, monkeypatch, caplog) -> None:
    from scipy.io import loadmat

    path = write_mpii(tmp_path / "mpii", "joints")
    weights = save_pdparams(Assembly(load_config(path)).model().state_dict(), tmp_path / "weights.pdparams")
    arguments = ["eval.py", "-c", str(path), "-o", f"weights={weights}", "--output_eval", str(tmp_path / "out")]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(ROOT / "tools" / "eval.py"), run_name="__main__")
    assert stop.value.code == 0
    assert "5 ground-truth boxes; flip test on" in caplog.text
    assert "| Mean | Mean@0.1 (published, counted at 0.11) | Mean@0.1 (counted at 0.1) |" in caplog.text
    results = json.loads((tmp_path / "out" / "keypoints_results.json").read_text())
    preds = loadmat(tmp_path / "out" / "pred.mat")["preds"]
    assert preds.shape == (5, 16, 2)
    np.testing.assert_allclose(preds[2] - 1, np.reshape(results[2]["keypoints"], (16, 3))[:, :2], atol=1e-3)


def test_another_keypoint_count_is_refused(tmp_path: Path) -> None:
    path = write_mpii(tmp_path / "mpii", "joints")
    with pytest.raises(ConfigError, match="num_joints is 17.*mpii16"):
        Assembly(load_config(path, ["num_joints=17"]))
    with pytest.raises(ConfigError, match="coco17"):
        Assembly(load_config(path, ["skeleton=coco17", "num_joints=17"])).metric()
