"""keypoint_infer.py with a bottom-up model on images, folders and videos, and what the unite command says to one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.planted_group import group_image, write_bottom_up_model
from support.planted_models import write_detector, write_pose_model

from ppdet.image.io import write_image
from ppdet.inference.video.writer import VideoWriter

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
SCRIPTS = Path(__file__).resolve().parents[2] / "deploy" / "python"
PEOPLE = np.array([[[60.0, 80.0], [110.0, 85.0]], [[200.0, 60.0], [250.0, 150.0]], [[330.0, 180.0], [300.0, 210.0]]])


def run(script: str, *arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, str(SCRIPTS / script), *map(str, arguments), "--engine", "onnxruntime"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def into(folder: Path) -> tuple[str, Path]:
    """The flag that puts results below a test's folder."""
    return "--output_dir", folder / "out"


def json_of(folder: Path, name: str) -> list:
    """What a command wrote there."""
    return json.loads((folder / "out" / f"keypoint_{name}_results.json").read_text())


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bottom_up_model(tmp_path_factory.mktemp("crowd") / "higherhrnet")


def test_a_folder_with_and_without_people(model: Path, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    write_image(images / "three.png", group_image((400, 300), PEOPLE, 8.0))
    write_image(images / "empty.png", np.zeros((200, 100, 3), np.uint8))
    write_image(images / "tiny.png", group_image((48, 36), np.rint(PEOPLE[:2] * 0.12), 1.5))
    done = run("keypoint_infer.py", "--model_dir", model, "--image_dir", images, *into(tmp_path),
               "--save_results", "--json_layout", "named")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "3 images, 5 people" in done.stdout + done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "three_vis.jpg", "empty_vis.jpg", "tiny_vis.jpg", "keypoint_image_results.json"
    }  # fmt: skip
    results = {Path(entry["image"]).name: entry for entry in json_of(tmp_path, "image")}
    hands = ("left_hand", "right_hand")
    people = [[person["keypoints"][name][:2] for name in hands] for person in results["three.png"]["people"]]
    for expected in PEOPLE:
        assert np.abs(np.array(people) - expected).mean(axis=(1, 2)).min() < 3.0
    assert results["empty.png"]["people"] == []


def test_one_image_in_paddledetections_layout(model: Path, tmp_path: Path) -> None:
    write_image(tmp_path / "three.png", group_image((400, 300), PEOPLE, 8.0))
    done = run("keypoint_infer.py", "--model_dir", model, "--image_file", tmp_path / "three.png", *into(tmp_path),
               "--save_results", "--run_benchmark")  # fmt: skip
    assert done.returncode == 0, done.stderr
    ((name, boxes, (people, scores)),) = json_of(tmp_path, "image")
    assert name.endswith("three.png") and len(boxes) == len(people) == len(scores) == 3 and np.shape(people) == (3, 2, 3)
    assert "group" in done.stdout


def test_a_video_keeps_identities(model: Path, tmp_path: Path) -> None:
    frames = 12
    writer = VideoWriter(tmp_path / "crowd.mp4", 25.0, (400, 304))
    for number in range(frames):
        pixels = group_image((400, 304), PEOPLE[:2] + [number, 0.5 * number], 8.0)
        writer.write(np.zeros_like(pixels) if number == 5 else pixels)
    writer.finish()
    done = run("keypoint_infer.py", "--model_dir", model, "--video_file", tmp_path / "crowd.mp4", *into(tmp_path),
               "--save_results", "--json_layout", "named", "--smooth")  # fmt: skip
    assert done.returncode == 0, done.stderr
    entries = json_of(tmp_path, "video")
    assert [len(entry["people"]) for entry in entries] == [0 if number == 5 else 2 for number in range(frames)]
    assert {person["id"] for entry in entries for person in entry["people"]} == {1, 2}
    capture = cv2.VideoCapture(str(tmp_path / "out" / "crowd.mp4"))
    assert int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) == frames


@pytest.mark.parametrize("place", ["keypoint", "detector"])
def test_the_unite_command_says_which_command_runs_it(model: Path, tmp_path: Path, place: str) -> None:
    other = write_detector(tmp_path / "det") if place == "keypoint" else write_pose_model(tmp_path / "pose")
    folders = (other, model) if place == "keypoint" else (model, other)
    write_image(tmp_path / "a.png", np.zeros((50, 50, 3), np.uint8))
    done = run("det_keypoint_unite_infer.py", "--det_model_dir", folders[0], "--keypoint_model_dir", folders[1],
               "--image_file", tmp_path / "a.png", *into(tmp_path))  # fmt: skip
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "finds all people of a whole image at once" in done.stderr
    assert f"keypoint_infer.py --model_dir {model}" in done.stderr


@pytest.mark.parametrize("flag", ["--flip_test", "--use_dark", "--paddledet_crop"])
def test_flags_of_top_down_models_are_refused(model: Path, tmp_path: Path, flag: str) -> None:
    write_image(tmp_path / "a.png", np.zeros((50, 50, 3), np.uint8))
    done = run("keypoint_infer.py", "--model_dir", model, "--image_file", tmp_path / "a.png", *into(tmp_path), flag)
    assert done.returncode == 2 and flag.strip('-') in done.stderr and "bottom-up" in done.stderr


def test_the_detector_command_refuses_it(model: Path, tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.zeros((50, 50, 3), np.uint8))
    done = run("infer.py", "--model_dir", model, "--image_file", tmp_path / "a.png", *into(tmp_path))
    assert done.returncode == 2 and "keypoint_infer.py" in done.stderr
