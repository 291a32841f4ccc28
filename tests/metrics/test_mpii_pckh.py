"""PCKh against the figures of the MPII evaluation kit: two published prediction files on MPII's ground truth.

detections_our_format.mat: Tompson et al., CVPR 2015. valid-example.h5: Newell et al., ECCV 2016. Expected values: an
independent computation with the HRNet authors' formula, see SOURCE.txt of the shared folder.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.shared_data import shared

from ppdet.core.errors import ConfigError, DataError
from ppdet.metrics.mpii_pckh import KeyPointTopDownMPIIEval

PERSONS = 2958
PARTS = ["Head", "Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle", "PCKh"]
TOMPSON = [95.600, 92.714, 83.365, 76.736, 81.928, 73.363, 65.446, 82.337]
HOURGLASS = [93.690, 92.238, 84.490, 77.916, 83.002, 78.018, 72.863, 83.927]


@pytest.fixture(params=["mpii_gt_val.mat", "gt_valid.mat"])
def anno_file(tmp_path: Path, request) -> Path:
    shutil.copy(shared("data", "metrics", "mpii_pckh", "detections_our_format.mat"), tmp_path / request.param)
    path = tmp_path / "mpii_val.json"
    path.write_text(json.dumps([{"image": f"{i:05d}.jpg"} for i in range(PERSONS)]))
    return path


def keypoints_of(xy_from_one: np.ndarray) -> np.ndarray:
    xy = xy_from_one - 1.0
    return np.concatenate([xy, np.ones((*xy.shape[:2], 1))], axis=2)


def tompson() -> np.ndarray:
    from scipy.io import loadmat

    content = loadmat(shared("data", "metrics", "mpii_pckh", "detections_our_format.mat"))
    return keypoints_of(np.transpose(content["pos_pred_src"], (2, 0, 1)))


def hourglass() -> np.ndarray:
    """The HDF5 file holds one contiguous array, (2958, 16, 2) float64, after a header of 2144 bytes."""
    raw = shared("data", "metrics", "mpii_pckh", "valid-example.h5").read_bytes()
    assert raw[:8] == b"\x89HDF\r\n\x1a\n" and len(raw) == 2144 + PERSONS * 32 * 8
    return keypoints_of(np.frombuffer(raw, "<f8", offset=2144).reshape(PERSONS, 16, 2))


@pytest.mark.parametrize(("predicted", "expected", "fine"), [(tompson, TOMPSON, 28.975), (hourglass, HOURGLASS, 18.350)])
def test_every_row_of_the_published_tables(anno_file: Path, predicted, expected, fine) -> None:
    metric = KeyPointTopDownMPIIEval(anno_file)
    metric.update({"index": np.arange(PERSONS), "keypoints": predicted(), "area": np.ones(PERSONS)})
    stats = metric.compute()
    assert [stats[name] for name in PARTS] == pytest.approx(expected, abs=1e-3)
    assert stats["PCKh@0.1"] == pytest.approx(fine, abs=1e-3)
    assert stats["PCKh@0.11"] > stats["PCKh@0.1"] + 1
    header, _, values = metric.report().splitlines()
    assert header.startswith("| Head | Shoulder | Elbow | Wrist | Hip | Knee | Ankle | Mean | Mean@0.1 (published, counted at")
    assert f"{expected[-1]:.3f}" in values


def test_published_fine_threshold_is_0_11(anno_file: Path) -> None:
    """Everything 0.105 heads off: inside the published Mean@0.1, outside a tenth."""
    metric = KeyPointTopDownMPIIEval(anno_file)
    truth = metric.truth
    off = np.stack([0.105 * truth["head_size"], np.zeros(PERSONS)], axis=1)
    metric.update({"index": np.arange(PERSONS), "keypoints": keypoints_of(truth["xy"] + off[:, None]), "area": np.ones(PERSONS)})
    stats = metric.compute()
    assert (stats["PCKh"], stats["PCKh@0.11"], stats["PCKh@0.1"]) == (100, 100, 0)


def test_processes_files_and_missing_persons(anno_file: Path, tmp_path: Path, caplog) -> None:
    from scipy.io import loadmat

    metric = KeyPointTopDownMPIIEval(anno_file, output_eval=tmp_path / "out")
    keypoints = tompson()
    other = KeyPointTopDownMPIIEval(anno_file)
    for target, rows in ((metric, np.arange(2000)), (other, np.arange(1990, PERSONS)[::-1])):  # overlap: counted once
        target.update({"index": rows, "keypoints": keypoints[rows], "area": np.ones(len(rows))})
    assert metric.compute()["PCKh"] < 70 and "958 of 2958 persons were not predicted" in caplog.text
    metric.merge([other.state()])
    assert metric.compute()["PCKh"] == pytest.approx(82.337, abs=1e-3)
    assert len(json.loads((tmp_path / "out" / "keypoints_results.json").read_text())) == PERSONS
    preds = loadmat(tmp_path / "out" / "pred.mat")["preds"]
    np.testing.assert_allclose(preds, keypoints[..., :2] + 1, atol=1e-3)


def test_test_set_needs_no_truth(tmp_path: Path) -> None:
    anno_file = tmp_path / "mpii_test.json"
    anno_file.write_text(json.dumps([{"image": "1.jpg"}, {"image": "1.jpg"}]))
    metric = KeyPointTopDownMPIIEval(anno_file, output_eval=tmp_path, save_prediction_only=True)
    metric.update({"index": [1, 0], "keypoints": np.zeros((2, 16, 3)), "area": [1, 1]})
    assert metric.compute() == {} and (tmp_path / "pred.mat").is_file()


def test_mistakes_are_named(anno_file: Path, tmp_path: Path) -> None:
    metric = KeyPointTopDownMPIIEval(anno_file)
    metric.update({"index": [PERSONS], "keypoints": np.zeros((1, 16, 3)), "area": [1]})
    with pytest.raises(DataError, match="person 2958"):
        metric.compute()
    with pytest.raises(ConfigError, match="coco17"):
        KeyPointTopDownMPIIEval(anno_file, skeleton="coco17")
    with pytest.raises(DataError, match="cannot read annotation file"):
        KeyPointTopDownMPIIEval(tmp_path / "elsewhere" / "mpii_val.json")
    anno_file.write_text("[{}]")
    with pytest.raises(DataError, match="1 persons.*2958"):
        KeyPointTopDownMPIIEval(anno_file)
    for name in ("mpii_gt_val.mat", "gt_valid.mat"):
        if (anno_file.parent / name).is_file():
            (anno_file.parent / name).write_bytes(b"not a mat file" * 20)
            with pytest.raises(DataError, match="no ground truth of MPII"):
                KeyPointTopDownMPIIEval(anno_file)
            (anno_file.parent / name).unlink()
    with pytest.raises(DataError, match="neither mpii_gt_val.mat nor gt_valid.mat"):
        KeyPointTopDownMPIIEval(anno_file)
