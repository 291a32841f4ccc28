"""The deployment commands from end to end on planted models."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.command_runs import parsed, run_module
from support.planted_models import SKELETON, planted_person, write_detector, write_pose_model

from ppdet.commands.deployed import detector
from ppdet.commands.deployed import keypoint as keypoint_command
from ppdet.commands.deployed import unite as unite_command
from ppdet.commands.deployed.report import remember_drawing
from ppdet.commands.flags.values import truth_value
from ppdet.core.errors import ConfigError, MediaError, ModelDirError
from ppdet.image.io import read_image, write_image

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

ROOT = Path(__file__).resolve().parents[2]
POINTS = np.array([[100.0, 80.0], [60.0, 150.0], [140.0, 230.0]])


def person() -> np.ndarray:
    return planted_person((210, 280), POINTS, 8 * 280 * 1.25 / 64)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("models")
    return str(write_detector(folder / "det")), str(write_pose_model(folder / "kpt"))


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    write_image(folder / "one.png", person())
    write_image(folder / "nobody.png", np.zeros((50, 60, 3), np.uint8))
    return folder


def unite(models: tuple[str, str], out: Path, *flags: str) -> int:
    chosen = ("--det_model_dir", models[0], "--keypoint_model_dir", models[1], "--output_dir", str(out))
    return run_module(unite_command, *chosen, "--engine", "onnxruntime", *flags)


def keypoint(models: tuple[str, str], out: Path, *flags: str) -> int:
    return run_module(keypoint_command, "--model_dir", models[1], "--output_dir", str(out), *flags)


def detect(models: tuple[str, str], out: Path, *flags: str) -> int:
    return run_module(detector, "--model_dir", models[0], "--output_dir", str(out), *flags)


def test_unite_on_a_folder(models: tuple[str, str], images: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    out = tmp_path / "out"
    with caplog.at_level("INFO", "ppdet"):
        assert unite(models, out, "--image_dir", str(images), "--save_res=True") == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "det_keypoint_unite_image_results.json",
        "nobody_vis.jpg",
        "one_vis.jpg",
    ]
    nobody, one = json.loads((out / "det_keypoint_unite_image_results.json").read_text())
    assert nobody == [str(images / "nobody.png"), [], [[], []]]
    np.testing.assert_allclose(np.array(one[2][0][0])[:, :2], POINTS, atol=4.0)
    assert "2 images, 1 person" in caplog.text and "wrote" in caplog.text and "runs on ONNX Runtime" in caplog.text
    assert np.abs(read_image(out / "one_vis.jpg").astype(int) - person()).max() > 100
    assert read_image(out / "nobody_vis.jpg").shape == (50, 60, 3)


def test_a_bad_image_is_reported_and_the_others_are_done(
    models: tuple[str, str], images: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (images / "broken.jpg").write_bytes(b"\xff\xd8\xff rubbish")
    (images / "empty.png").write_bytes(b"")
    assert unite(models, tmp_path / "out", "--image_dir", str(images)) == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["nobody_vis.jpg", "one_vis.jpg"]
    assert "2 of 4 images failed: broken.jpg, empty.png" in caplog.text


def test_images_of_one_stem_do_not_overwrite_each_other(models: tuple[str, str], images: Path, tmp_path: Path) -> None:
    write_image(images / "one.jpg", person())
    assert unite(models, tmp_path / "out", "--image_dir", str(images)) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["nobody_vis.jpg", "one_vis.jpg", "one_vis_png.jpg"]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 29.97, (210, 280))
    for number in range(6):
        writer.write(person()[..., ::-1] if number != 2 else np.zeros((280, 210, 3), np.uint8))
    writer.release()
    return path


def test_unite_on_a_video(models: tuple[str, str], clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    flags = [
        "--video_file",
        str(clip),
        "--save_res",
        "--smooth",
        "True",
        "--filter_type",
        "EMA",
        "--json_layout",
        "named",
        "--run_benchmark",
        "1",
    ]
    assert unite(models, out, *flags) == 0
    assert sorted(path.name for path in out.iterdir()) == ["clip.mp4", "det_keypoint_unite_video_results.json"]
    content = json.loads((out / "det_keypoint_unite_video_results.json").read_text())
    assert [record["frame"] for record in content] == [1, 2, 3, 4, 5, 6]
    assert [len(record["people"]) for record in content] == [1, 1, 0, 1, 1, 1]
    assert content[0]["people"][0]["id"] == content[5]["people"][0]["id"]
    table = capsys.readouterr().out
    assert all(word in table for word in ("decode", "detect", "pose", "draw", "encode", "p95", "peak memory"))


def test_a_video_is_never_written_over_its_source(models: tuple[str, str], clip: Path) -> None:
    before = clip.read_bytes()
    for command in (unite, keypoint, detect):
        with pytest.raises(MediaError, match="would overwrite the input"):
            command(models, clip.parent, "--video_file", str(clip))
    assert clip.read_bytes() == before


@pytest.mark.parametrize("batch", ["1", "2", "8"])
def test_keypoint_alone_takes_the_whole_image(models: tuple[str, str], images: Path, tmp_path: Path, batch: str) -> None:
    assert keypoint(models, tmp_path / "out", "--image_dir", str(images), "--save_results", "--batch_size", batch) == 0
    nobody, one = json.loads((tmp_path / "out" / "keypoint_image_results.json").read_text())
    np.testing.assert_allclose(np.array(one[2][0][0])[:, :2], POINTS, atol=4.0)
    assert one[1] == [[0, 0, 210, 280]] and len(nobody[1]) == 1


def test_save_images_false_writes_no_images(models: tuple[str, str], images: Path, tmp_path: Path) -> None:
    assert keypoint(models, tmp_path / "out", "--image_dir", str(images), "--save_images", "False", "--save_results") == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["keypoint_image_results.json"]


def test_detector_alone(models: tuple[str, str], images: Path, clip: Path, tmp_path: Path) -> None:
    (images / "one.png").rename(images / "000000000042.png")
    (images / "nobody.png").rename(images / "7.png")
    assert detect(models, tmp_path / "out", "--image_dir", str(images), "--save_results") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["000000000042.png", "7.png", "bbox.json"]
    (box,) = json.loads((tmp_path / "out" / "bbox.json").read_text())
    assert box == {"image_id": 42, "file_name": "000000000042.png", "category_id": 1, "bbox": [0, 0, 210, 280], "score": 0.9}
    assert detect(models, tmp_path / "video", "--video_file", str(clip)) == 0
    assert cv2.VideoCapture(str(tmp_path / "video" / "clip.mp4")).get(cv2.CAP_PROP_FRAME_COUNT) == 6


def test_models_of_the_wrong_kind(models: tuple[str, str], images: Path, tmp_path: Path) -> None:
    flags = ("--image_dir", str(images))
    with pytest.raises(ModelDirError, match="use deploy/python/keypoint_infer.py"):
        detect(models[::-1], tmp_path, *flags)
    with pytest.raises(ModelDirError, match="no pose model"):
        keypoint(models[::-1], tmp_path, *flags)
    with pytest.raises(ModelDirError, match="there is no directory"):
        unite(("nowhere", models[1]), tmp_path, *flags)


def test_outputs_are_checked_before_the_work(models: tuple[str, str], images: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for command in (unite, keypoint, detect):
        with pytest.raises(MediaError, match="cannot write to the output folder"):
            command(("nowhere", "nowhere"), tmp_path / "file", "--image_dir", str(images))


@pytest.mark.parametrize(
    ("flags", "error", "words"),
    [
        ([], ConfigError, "nothing to run on"),
        (["--image_file", "none.jpg"], MediaError, "there is no image none.jpg"),
        (["--video_file", "none.mp4"], MediaError, "there is no video none.mp4"),
        (["--image_dir", "nowhere"], MediaError, "nowhere"),
        (["--image_file", "x.jpg", "--cpu_threads", "0"], ConfigError, "--cpu_threads is 0"),
    ],
)
def test_bad_inputs_are_named(models: tuple[str, str], tmp_path: Path, flags: list[str], error: type, words: str) -> None:
    for command in (unite, keypoint, detect):
        with pytest.raises(error, match=words):
            command(models, tmp_path / "out", *flags)


def test_paddledetections_defaults() -> None:
    """The values of PaddleDetection's own parsers; scripts out there rely on them."""
    args = vars(parsed(unite_command, "--det_model_dir", "a", "--keypoint_model_dir", "b"))
    expected = {
        "camera_id": -1,
        "keypoint_batch_size": 8,
        "det_threshold": 0.5,
        "keypoint_threshold": 0.5,
        "output_dir": "output",
        "run_mode": "paddle",
        "device": "cpu",
        "run_benchmark": False,
        "enable_mkldnn": False,
        "cpu_threads": 1,
        "trt_min_shape": 1,
        "trt_max_shape": 1280,
        "trt_opt_shape": 640,
        "trt_calib_mode": False,
        "save_res": False,
        "smooth": False,
        "filter_type": "OneEuro",
    }
    assert {key: args[key] for key in expected} == expected
    args = vars(parsed(keypoint_command, "--model_dir", "a"))
    expected = {
        "batch_size": 1,
        "threshold": 0.5,
        "save_images": True,
        "save_results": False,
        "use_gpu": False,
        "device": "cpu",
        "camera_id": -1,
        "output_dir": "output",
        "cpu_threads": 1,
    }
    assert {key: args[key] for key in expected} == expected


def test_switches_take_every_spelling() -> None:
    base = ["--det_model_dir", "a", "--keypoint_model_dir", "b"]
    for words, value in (
        (["--save_res"], True),
        (["--save_res=True"], True),
        (["--save_res", "1"], True),
        (["--save_res", "false"], False),
        (["--save_res=0"], False),
    ):
        assert parsed(unite_command, *base, *words).save_res is value
    assert parsed(unite_command, *base, "--device", "CPU").device == "cpu"
    assert parsed(unite_command, *base).use_dark is None
    with pytest.raises(argparse.ArgumentTypeError, match="neither true nor false"):
        truth_value("maybe")


def test_flags_of_other_tasks_are_refused_and_not_ignored() -> None:
    with pytest.raises(ConfigError, match="--slice_infer True: slicing an image"):
        parsed(keypoint_command, "--model_dir", "a", "--slice_infer")
    with pytest.raises(ConfigError, match="--tracker_config x.yml: it is not part of this command"):
        parsed(detector, "--model_dir", "a", "--tracker_config", "x.yml")


@pytest.mark.parametrize("name", ["infer", "keypoint_infer", "det_keypoint_unite_infer"])
def test_scripts_run_from_anywhere(models: tuple[str, str], images: Path, tmp_path: Path, name: str) -> None:
    chosen = {
        "infer": ["--model_dir", models[0]],
        "keypoint_infer": ["--model_dir", models[1]],
        "det_keypoint_unite_infer": ["--det_model_dir", models[0], "--keypoint_model_dir", models[1]],
    }[name]
    command = [sys.executable, str(ROOT / "deploy" / "python" / f"{name}.py"), *chosen]
    done = subprocess.run([*command, "--image_dir", str(images)], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert "wrote output" in done.stdout and len(list((tmp_path / "output").iterdir())) == 2
    done = subprocess.run([*command, "--image_file", "gone.jpg"], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2 and done.stderr.startswith("error: there is no image gone.jpg")
    assert SKELETON.name == "planted3"


def test_one_drawing_is_named_and_several_by_their_folder(tmp_path: Path) -> None:
    written = [tmp_path / "poses.json"]
    remember_drawing(written, tmp_path / "drawn" / "a_vis.jpg")
    assert written == [tmp_path / "poses.json", tmp_path / "drawn" / "a_vis.jpg"]
    for name in "bcd":
        remember_drawing(written, tmp_path / "drawn" / f"{name}_vis.jpg")
    assert written == [tmp_path / "poses.json", tmp_path / "drawn"]
