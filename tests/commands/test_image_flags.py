"""The range of images with more than 8 bits and boxes of a file, through the commands."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.command_runs import run_module
from support.planted_models import planted_person, write_detector, write_pose_model

from ppdet.commands.deployed import detector, keypoint, unite
from ppdet.commands.running import batch, detect, pose
from ppdet.core.errors import ConfigError
from ppdet.image.io import read_image, write_image

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

POINTS = np.array([[100.0, 80.0], [60.0, 150.0], [140.0, 230.0]])
WHITE = 2040


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("models")
    return str(write_detector(folder / "det")), str(write_pose_model(folder / "kpt"))


@pytest.fixture
def dark(tmp_path: Path) -> Path:
    """A 16-bit file of values up to 2040: by itself it counts as 11 or 12 bits, which makes it half as bright."""
    path = tmp_path / "dark.png"
    cv2.imwrite(str(path), person()[..., ::-1].astype(np.uint16) * 8)
    return path


def person() -> np.ndarray:
    return planted_person((210, 280), POINTS, 8 * 280 * 1.25 / 64)


RANGE = ("--image_range", "0", str(WHITE))


def test_deployment_commands_take_a_range(models: tuple[str, str], dark: Path, tmp_path: Path) -> None:
    det, kpt = models
    source = ["--image_file", str(dark), *RANGE, "--output_dir"]
    assert run_module(detector, "--model_dir", det, *source, str(tmp_path / "a"), "--threshold", "1") == 0
    assert run_module(keypoint, "--model_dir", kpt, *source, str(tmp_path / "b"), "--threshold", "1") == 0
    both = ["--det_model_dir", det, "--keypoint_model_dir", kpt, "--det_threshold", "1"]
    assert run_module(unite, *both, *source, str(tmp_path / "c")) == 0
    for folder in "ac":
        (written,) = (tmp_path / folder).iterdir()
        assert np.abs(read_image(written).astype(int) - person()).mean() < 1.5  # a JPEG
    by_itself = read_image(dark)
    assert np.abs(by_itself.astype(int) - person()).mean() > 10
    with pytest.raises(ConfigError, match=r"image_range is \[black, white\]"):
        run_module(detector, "--model_dir", det, *source, str(tmp_path), "--image_range", "9", "9")


def test_plain_commands_take_a_range(models: tuple[str, str], dark: Path, tmp_path: Path) -> None:
    det, kpt = models
    out = ["--output_dir", str(tmp_path / "a")]
    assert run_module(detect, str(dark), "--det", det, *RANGE, *out, "--threshold", "1") == 0
    (written,) = (tmp_path / "a").iterdir()
    assert np.abs(read_image(written).astype(int) - person()).mean() < 1.5
    found = {}
    for name, flags in (("given", RANGE), ("own", ())):
        results = tmp_path / f"{name}.jsonl"
        assert run_module(pose, str(dark), "--det", det, "--model", kpt, *flags, "--results", str(results)) == 0
        found[name] = json.loads(results.read_text())["people"][0]["keypoints"]
        folder = str(tmp_path / name)
        batch_flags = ["--output", folder, "--media", "images", "--workers", "1", "--det", det, "--model", kpt, *flags]
        assert run_module(batch, str(dark), *batch_flags) == 0
        (written,) = (path for path in (tmp_path / name).glob("*.jsonl") if path.name != "journal.jsonl")
        assert json.loads(written.read_text())["people"][0]["keypoints"] == found[name]
    scores = {name: np.array([point[2] for point in points.values()]) for name, points in found.items()}
    assert (scores["given"] > 1.5 * scores["own"]).all()  # the planted network's scores are brightness


def test_keypoints_in_boxes_of_a_file(models: tuple[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    wide = np.zeros((280, 640, 3), np.uint8)
    wide[:, 400:610] = person()
    write_image(tmp_path / "wide.png", wide)
    entries = [{"file_name": "wide.png", "image_id": 1, "category_id": 1, "bbox": [400, 0, 210, 280], "score": 0.9},
               {"file_name": "wide.png", "image_id": 1, "category_id": 1, "bbox": [0, 0, 100, 100], "score": 0.2}]  # fmt: skip
    file = tmp_path / "boxes.json"
    file.write_text(json.dumps(entries))
    run = ["--model_dir", models[1], "--image_file", str(tmp_path / "wide.png")]
    run += ["--save_results", "--output_dir", str(tmp_path / "o")]
    assert run_module(keypoint, *run, "--bbox_file", str(file), "--bbox_threshold", "0.5") == 0
    ((_, boxes, (people, _)),) = json.loads((tmp_path / "o" / "keypoint_image_results.json").read_text())
    assert boxes == [[400, 0, 610, 280]]
    np.testing.assert_allclose(np.array(people[0])[:, :2], POINTS + [400, 0], atol=4.0)
    assert run_module(keypoint, *run, "--bbox_file", str(file)) == 0
    assert len(json.loads((tmp_path / "o" / "keypoint_image_results.json").read_text())[0][1]) == 2
    with pytest.raises(ConfigError, match="give a JSON file of boxes"):
        run_module(keypoint, *run, "--bbox_file", models[0])
    with pytest.raises(ConfigError, match="not of the frames of a video"):
        run_module(keypoint, *run[:2], "--video_file", "clip.mp4", "--bbox_file", str(file))


def test_flags_of_videos_are_not_ignored_without_a_word(
    models: tuple[str, str], dark: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    det, kpt = models
    words = (str(dark), "--det", det, "--model", kpt, "--output_dir", str(tmp_path / "out"))
    assert run_module(pose, *words) == 0 and "for videos only" not in caplog.text
    assert run_module(pose, *words, "--smooth", "--max_frames", "3") == 0
    assert "--smooth, --max_frames: for videos only" in caplog.text and "frame_%04d.png" in caplog.text
