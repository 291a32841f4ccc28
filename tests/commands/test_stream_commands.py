"""The deployment commands on cut videos, streams with passwords, and interruptions."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.command_runs import parsed, run_module
from support.planted_models import planted_person, write_detector, write_pose_model
from support.standing_still import FRAMES, start_and_wait
from support.web_server import serving

from ppdet.commands.deployed import detector, unite
from ppdet.core.errors import MediaError

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

ROOT = Path(__file__).resolve().parents[2]
SIZE = (96, 128)
PASSWORD = "S3cretPw"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("models")
    return str(write_detector(folder / "det")), str(write_pose_model(folder / "kpt"))


def write_clip(path: Path, frames: int) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, SIZE)
    for number in range(frames):
        writer.write(planted_person(SIZE, np.array([[30.0 + number % 30, 30], [20, 60], [60, 70]]), 5.0)[..., ::-1])
    writer.release()
    return path


def flags(models: tuple[str, str], out: Path, source: object) -> list[str]:
    return ["--det_model_dir", models[0], "--keypoint_model_dir", models[1], "--output_dir", str(out), "--engine", "onnxruntime",
            "--save_res", "--video_file", str(source)]  # fmt: skip


def test_a_cut_video_ends_with_status_1(models: tuple[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clip = write_clip(tmp_path / "clip.avi", 40)
    assert run_module(unite, *flags(models, tmp_path / "whole", clip)) == 0
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    assert run_module(unite, *flags(models, tmp_path / "out", clip)) == 1
    assert run_module(detector, "--model_dir", models[0], "--output_dir", str(tmp_path / "out"), "--video_file", str(clip)) == 1
    assert caplog.text.count("promises 40 frames and ends after") == 2


def test_no_password_in_names_logs_and_errors(models: tuple[str, str], tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    clip = write_clip(tmp_path / "clip.mkv", 5).read_bytes()
    out = tmp_path / "out"
    with serving({"/": (200, {"Content-Type": "video/x-matroska"}, clip)}) as (host, _):
        assert run_module(unite, *flags(models, out, f"http://admin:{PASSWORD}@{host}/")) == 0
    with pytest.raises(MediaError, match="127.0.0.1.*refused") as refused:
        run_module(unite, *flags(models, out, f"rtsp://admin:{PASSWORD}@{host}/live?key={PASSWORD}"))
    names = sorted(path.name for path in out.iterdir())
    assert names == [host.replace(":", "_") + ".mp4", "det_keypoint_unite_video_results.json"]
    shown = "".join(capfd.readouterr()) + str(refused.value) + (out / names[1]).read_text()
    assert PASSWORD not in shown and "damaged" not in str(refused.value)


def test_cameras_by_their_device() -> None:
    for text, number in (("/dev/video0", 0), ("3", 3), ("-1", -1)):
        assert parsed(detector, "--model_dir", "m", f"--camera_id={text}").camera_id == number
    with pytest.raises(SystemExit):
        parsed(detector, "--model_dir", "m", "--camera_id=front")


def test_ctrl_c_keeps_what_was_done(models: tuple[str, str], tmp_path: Path) -> None:
    clip, out = write_clip(tmp_path / "clip.avi", 2 * FRAMES), tmp_path / "out"
    command = "deploy/python/det_keypoint_unite_infer.py", *flags(models, out, clip)
    running = start_and_wait(tmp_path / "marker", *command)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=300)
    assert running.returncode == 130 and "Traceback" not in errors, errors
    frames = len(json.loads((out / "det_keypoint_unite_video_results.json").read_text()))
    assert 0 < frames <= FRAMES and cv2.VideoCapture(str(out / "clip.avi")).get(cv2.CAP_PROP_FRAME_COUNT) >= frames - 1
    assert sorted(path.name for path in out.iterdir()) == ["clip.avi", "det_keypoint_unite_video_results.json"]
