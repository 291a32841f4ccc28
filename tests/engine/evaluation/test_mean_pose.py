"""The mean pose of the training set as a baseline, on poses whose figures are known."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any, Sequence

import cv2
import numpy as np
import pytest
from support import pose_parts  # noqa: F401  (registers TwoConvs)
from support.mpii_parts import write_mpii

from ppdet.core.config.load import load_config
from ppdet.core.errors import ConfigError
from ppdet.engine.evaluation.mean_pose import evaluate_mean_pose, mean_pose, place_pose

ROOT = Path(__file__).resolve().parents[3]
POSE = np.array([[0.5, 0.1], [0.8, 0.9], [0.2, 0.9]])
"""Head, left and right foot in units of the box."""
TRAIN = """
TrainDataset:
  name: KeypointTopDownCocoDataset
  dataset_dir: {folder}
  image_dir: images
  anno_path: train.json
"""


def person(number: int, box: Sequence[float], pose: np.ndarray, visible: Sequence[int] = (2, 2, 1)) -> dict[str, Any]:
    """An annotation; a box [x, y, w, h] ends at the pixel x + w - 1."""
    x, y, w, h = box
    xy = np.array([x, y]) + pose * [w - 1, h - 1]
    return {"id": number, "image_id": 1, "category_id": 1, "bbox": list(box), "area": 0.5 * w * h, "iscrowd": 0,
            "num_keypoints": 3, "keypoints": np.column_stack([xy, visible]).reshape(-1).tolist()}  # fmt: skip


def write_data(folder: Path, train: list[dict[str, Any]], val: list[dict[str, Any]], extra: str = "") -> Path:
    """One blank image, both annotation files; returns the config."""
    (folder / "images").mkdir(parents=True)
    cv2.imwrite(str(folder / "images" / "1.png"), np.zeros((300, 400, 3), np.uint8))
    images = [{"id": 1, "file_name": "1.png", "width": 400, "height": 300}]
    categories = [{"id": 1, "name": "stick", "keypoints": list(pose_parts.NAMES)}]
    for name, persons in (("train", train), ("truth", val)):
        content = {"images": images, "annotations": persons, "categories": categories}
        (folder / f"{name}.json").write_text(json.dumps(content))
    return pose_parts.write_config(folder, folder, TRAIN.format(folder=folder) + extra)


@pytest.fixture()
def training() -> list[dict[str, Any]]:
    """Boxes of three sizes and shapes around poses whose mean is POSE; a keypoint that is not labelled lies anywhere."""
    offset = np.array([[0.1, -0.05], [0.0, 0.1], [-0.1, 0.05]])
    return [
        person(1, [10, 20, 61, 101], POSE + offset),
        person(2, [100, 50, 201, 121], POSE - offset),
        person(3, [30, 5, 101, 201], POSE + [[0, 0], [0, 0], [3, 3]], visible=(2, 2, 0)),
    ]


def test_ap_is_1_where_everybody_stands_like_the_mean(tmp_path: Path, training: list[dict[str, Any]]) -> None:
    val = [person(1, [40, 30, 81, 141], POSE), person(2, [200, 10, 151, 201], POSE)]
    figures = evaluate_mean_pose(load_config(write_data(tmp_path, training, val)), tmp_path / "out")
    assert figures["AP"] == pytest.approx(1.0)
    placed = {tuple(r["keypoints"][:2]): r for r in json.loads((tmp_path / "out" / "keypoints_results.json").read_text())}
    assert set(placed) == {(80.0, 44.0), (275.0, 30.0)}  # x + .5 (w - 1), y + .1 (h - 1)


def test_who_stands_otherwise_is_missed(tmp_path: Path, training: list[dict[str, Any]]) -> None:
    val = [person(1, [40, 30, 81, 141], POSE), person(2, [200, 10, 151, 201], 1 - POSE)]  # upside down
    figures = evaluate_mean_pose(load_config(write_data(tmp_path, training, val)))
    assert figures["AR"] == pytest.approx(0.5)


def test_pck_counts_keypoints(tmp_path: Path, training: list[dict[str, Any]]) -> None:
    """PCK@.2 of the longer side, 133 pixels at the aspect of the input: one foot of one of two persons is off by 30."""
    val = [person(1, [40, 30, 101, 101], POSE), person(2, [200, 10, 101, 101], POSE + [[0, 0], [0, 0], [0, -0.3]])]
    config = write_data(tmp_path, training, val)
    figures = evaluate_mean_pose(load_config(config, ["metric=KeyPointTopDownCOCOWholeBadyHandEval"]))
    assert figures["PCK"] == pytest.approx((1 + 1 + 0.5) / 3)
    assert figures["EPE"] == pytest.approx(5, abs=1e-4)


def test_pckh_of_mpii(tmp_path: Path) -> None:
    """The persons of the file are their own training set; the first row of gt_valid.mat belongs to the first person."""
    config = load_config(write_mpii(tmp_path, "joints", alike=True))
    config["TrainDataset"] = config["EvalDataset"]
    assert evaluate_mean_pose(config)["PCKh"] == pytest.approx(100.0)


def test_the_mean_is_over_labelled_keypoints(tmp_path: Path, training: list[dict[str, Any]]) -> None:
    from ppdet.engine.assembly import Assembly

    dataset = Assembly(load_config(write_data(tmp_path, training, training))).dataset("Train")
    pose, count = mean_pose([dataset.describe(i) for i in range(len(dataset))])
    np.testing.assert_allclose(pose, POSE, atol=1e-6)
    assert count.tolist() == [3, 3, 2]
    np.testing.assert_allclose(place_pose(np.array([[0.5, 0.25]]), np.array([[10.0, 20, 30, 60], [5, 5, 5, 5]])),
                               [[[20, 30]], [[5.5, 5.25]]])  # fmt: skip


def test_a_keypoint_without_a_label_is_reported(tmp_path: Path, training: list[dict[str, Any]], caplog: Any) -> None:
    for each in training:
        each["keypoints"][5] = 0
    val = [person(1, [40, 30, 81, 141], POSE)]
    evaluate_mean_pose(load_config(write_data(tmp_path, training, val)))
    assert "never labelled in training, placed at the middle of the box: left_foot" in caplog.text


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    monkeypatch.setattr("sys.argv", ["eval.py", *arguments])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(ROOT / "tools" / "eval.py"), run_name="__main__")
    return stop.value.code


def test_the_command(tmp_path: Path, training: list[dict[str, Any]], monkeypatch: Any, caplog: Any, capsys: Any) -> None:
    config = str(write_data(tmp_path, training, [person(1, [40, 30, 81, 141], POSE)]))
    assert run(monkeypatch, "-c", config, "--baseline", "mean_pose") == 0
    assert "mean pose of 3 training persons in 1 ground-truth boxes; no model, no image" in caplog.text
    assert run(monkeypatch, "-c", config, "--baseline", "mean_pose", "--boxes", "gt") == 2
    assert "--baseline needs no model" in capsys.readouterr().err


def test_a_detector_has_no_pose(tmp_path: Path) -> None:
    path = ROOT / "configs/picodet/application/pedestrian_detection/picodet_s_192_lcnet_pedestrian.yml"
    with pytest.raises(ConfigError, match="the mean pose is placed into persons' boxes, but EvalDataset is a"):
        evaluate_mean_pose(load_config(path))
