"""What users of the deployment commands get wrong, and what the machine does to them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.command_runs import run_module
from support.planted_models import planted_person, write_detector, write_pose_model

from ppdet.commands.deployed import detector, keypoint, unite
from ppdet.core.errors import ConfigError, MediaError
from ppdet.image.io import read_image, write_image

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

ROOT = Path(__file__).resolve().parents[2]
POINTS = np.array([[100.0, 80.0], [60.0, 150.0], [140.0, 230.0]])


def person() -> np.ndarray:
    return planted_person((210, 280), POINTS, 8 * 280 * 1.25 / 64)


def turned_jpeg(path: Path) -> None:
    """A JPEG whose stored pixels lie on their side, with the EXIF orientation (6) that puts `person` upright."""
    stored = np.rot90(person(), 1)
    data = cv2.imencode(".jpg", stored[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 98])[1].tobytes()
    tiff = b"MM\0*\0\0\0\x08" + b"\0\x01" + b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0" + b"\0\0\0\0"
    segment = b"Exif\0\0" + tiff
    path.write_bytes(data[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + data[2:])


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("models")
    return str(write_detector(folder / "det")), str(write_pose_model(folder / "kpt"))


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    write_image(folder / "2.png", person())
    write_image(folder / "a.png", person())
    return folder


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 25.0, (210, 280))
    for number in range(5):
        writer.write(person()[..., ::-1] if number != 2 else np.zeros((280, 210, 3), np.uint8))
    writer.release()
    return path


def run(kind: str, models: tuple[str, str], out: Path, *flags: str) -> int:
    if kind == "unite":
        words = ["--det_model_dir", models[0], "--keypoint_model_dir", models[1], "--output_dir", str(out), *flags]
        return run_module(unite, *words)
    command, model = (detector, models[0]) if kind == "detect" else (keypoint, models[1])
    return run_module(command, "--model_dir", model, "--output_dir", str(out), *flags)


def boxes(out: Path) -> list[dict]:
    return json.loads((out / "bbox.json").read_text())


def test_ids_of_boxes_do_not_collide(models: tuple[str, str], images: Path, tmp_path: Path) -> None:
    run("detect", models, tmp_path / "out", "--image_dir", str(images), "--save_results")
    assert [(box["image_id"], box["file_name"]) for box in boxes(tmp_path / "out")] == [(1, "2.png"), (2, "a.png")]
    (images / "a.png").rename(images / "0003.png")
    run("detect", models, tmp_path / "out", "--image_dir", str(images), "--save_results")
    assert [(box["image_id"], box["file_name"]) for box in boxes(tmp_path / "out")] == [(3, "0003.png"), (2, "2.png")]


def test_thresholds_of_what_is_drawn_and_what_is_saved(models: tuple[str, str], images: Path, tmp_path: Path) -> None:
    """The planted boxes have a score of .9."""
    source = ("--image_dir", str(images), "--save_results")
    run("detect", models, tmp_path / "a", *source, "--threshold", "0.95")
    assert len(boxes(tmp_path / "a")) == 2 and (read_image(tmp_path / "a" / "a.png") == person()).all()
    run("detect", models, tmp_path / "b", *source, "--save_threshold", "0.95")
    assert boxes(tmp_path / "b") == [] and not (read_image(tmp_path / "b" / "a.png") == person()).all()


def test_boxes_of_a_video_are_saved(models: tuple[str, str], clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("detect", models, out, "--video_file", str(clip), "--save_results", "--save_images", "false") == 0
    assert [file.name for file in out.iterdir()] == ["bbox.json"]
    assert [(box["image_id"], box["frame"], box["file_name"]) for box in boxes(out)] == [(n, n, "clip.mp4") for n in (1, 2, 4, 5)]


@pytest.mark.parametrize("kind", ["unite", "keypoint", "detect"])
def test_images_are_turned_as_exif_says(models: tuple[str, str], tmp_path: Path, kind: str) -> None:
    photo = tmp_path / "photo.jpg"
    turned_jpeg(photo)
    assert read_image(photo).shape == (210, 280, 3) and read_image(photo, apply_orientation=True).shape == (280, 210, 3)
    save = "--save_res" if kind == "unite" else "--save_results"
    run(kind, models, tmp_path / "out", "--image_file", str(photo), save)
    pixels = next((tmp_path / "out").glob("photo*.jpg"))
    assert read_image(pixels).shape == (280, 210, 3)
    if kind == "detect":
        assert boxes(tmp_path / "out")[0]["bbox"] == [0, 0, 210, 280]
    else:
        ((_, _, (people, _)),) = json.loads(next((tmp_path / "out").glob("*.json")).read_text())
        np.testing.assert_allclose(np.array(people[0])[:, :2], POINTS, atol=4.0)
    run(kind, models, tmp_path / "stored", "--image_file", str(photo), "--ignore_exif")
    assert read_image(tmp_path / "stored" / pixels.name).shape == (210, 280, 3)


@pytest.mark.parametrize("kind", ["unite", "keypoint", "detect"])
def test_contradictions_are_refused(models: tuple[str, str], images: Path, clip: Path, tmp_path: Path, kind: str) -> None:
    pixels, out = str(images / "a.png"), tmp_path / "out"
    with pytest.raises(ConfigError, match="--image_file .*a.png and --video_file .* were given"):
        run(kind, models, out, "--image_file", pixels, "--video_file", str(clip))
    with pytest.raises(ConfigError, match="--image_dir .* and --camera_id 0 were given"):
        run(kind, models, out, "--image_dir", str(images), "--camera_id", "0")
    with pytest.raises(MediaError, match="a.png is an image, not a video: give it as --image_file"):
        run(kind, models, out, "--video_file", pixels)
    with pytest.raises(MediaError, match="clip.mp4 is a video: give it as --video_file"):
        run(kind, models, out, "--image_file", str(clip))
    (tmp_path / "notes.txt").write_text("no video, but FFmpeg would film these letters\n" * 100)
    with pytest.raises(MediaError, match="notes.txt is text, neither an image"):
        run(kind, models, out, "--video_file", str(tmp_path / "notes.txt"))
    flag = "--keypoint_threshold" if kind == "unite" else "--threshold"
    for value in ("1.5", "-0.1", "nan"):
        with pytest.raises(ConfigError, match=f"{flag} is .*from 0 to 1"):
            run(kind, models, out, "--image_file", pixels, flag, value)


@pytest.mark.skipif(os.name != "posix", reason="SIGTERM is POSIX")
@pytest.mark.parametrize("name", ["infer", "keypoint_infer", "det_keypoint_unite_infer"])
def test_sigterm_leaves_nothing_half_written(models: tuple[str, str], tmp_path: Path, name: str) -> None:
    clip, out = tmp_path / "long.mp4", tmp_path / "out"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter_fourcc(*"mp4v"), 25.0, (640, 480))
    for _ in range(1500):
        writer.write(np.zeros((480, 640, 3), np.uint8))
    writer.release()
    chosen = ["--det_model_dir", models[0], "--keypoint_model_dir", models[1], "--save_res"]
    if name != "det_keypoint_unite_infer":
        chosen = ["--model_dir", models[name == "keypoint_infer"], "--save_results"]
    script = str(ROOT / "deploy" / "python" / f"{name}.py")
    process = subprocess.Popen([sys.executable, script, *chosen, "--video_file", str(clip), "--output_dir", str(out)],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    while process.poll() is None and not [*out.glob(".*.part.*"), *out.glob(".*.tmp.*")]:
        time.sleep(0.01)
    time.sleep(0.2)  # of the seconds that the clip takes
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 143, output
    # Frames done by then are kept as whole files, which the output names; usually the signal comes before the first.
    left = list(out.iterdir())
    assert "terminated" in output and all(file.name[0] != "." and f"{file} holds the " in output for file in left), left
