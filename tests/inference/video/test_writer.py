"""A video is there whole or not at all, whatever the disk does, and under a name that plays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from ppdet.core.errors import MediaError
from ppdet.inference.video.check import what_is_wrong
from ppdet.inference.video.writer import VideoWriter, disk_is_full, temporary_name

ROOT = Path(__file__).resolve().parents[3]
SIZE = (96, 64)


def write(path: Path, frames: int = 20) -> VideoWriter:
    rng = np.random.default_rng(0)
    writer = VideoWriter(path, 25.0, SIZE)
    for _ in range(frames):
        writer.write(rng.integers(0, 255, (SIZE[1], SIZE[0], 3), np.uint8))
    return writer


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mov", ".mkv", ".webm", ".mpg"])
@pytest.mark.parametrize("frames", [1, 2, 20])
def test_whole_videos_pass(tmp_path: Path, suffix: str, frames: int) -> None:
    path = write(tmp_path / f"clip{suffix}", frames).finish()
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".webm"])
@pytest.mark.parametrize("kept", [0.0, 0.02, 0.5, 0.8])
def test_a_file_cut_short_is_an_error_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, kept: float
) -> None:
    writer = write(tmp_path / f"clip{suffix}")
    (temporary,) = tmp_path.iterdir()

    def cut(path: Path, frames: int) -> str | None:
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * kept)])
        return what_is_wrong(path, frames)

    monkeypatch.setattr("ppdet.inference.video.writer.what_is_wrong", cut)
    with pytest.raises(MediaError, match=rf"clip\{writer.path.suffix} was not written.*disk full"):
        writer.finish()
    assert not temporary.exists() and not list(tmp_path.iterdir())


def test_a_write_that_really_fails(tmp_path: Path) -> None:
    """A limit on file sizes makes the system refuse what goes beyond it, as a full disk does."""
    pytest.importorskip("resource")
    code = (
        "import resource, sys\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "import numpy as np\n"
        "from pathlib import Path\n"
        "from ppdet.core.command import run_command\n"
        "from ppdet.inference.video.writer import VideoWriter\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (30000, 30000))\n"
        "def main():\n"
        "    rng = np.random.default_rng(0)\n"
        f"    with VideoWriter(Path({str(tmp_path)!r}) / 'clip.mp4', 25.0, (320, 240)) as writer:\n"
        "        for _ in range(30):\n"
        "            writer.write(rng.integers(0, 255, (240, 320, 3), np.uint8))\n"
        "sys.exit(run_command(main))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "error: the video" in done.stderr and "was not written" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_video_without_frames_is_none(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="has no frames"):
        write(tmp_path / "clip.mp4", 0).finish()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["dance.gif", "dance12.gif", "frame_001.png", "x%03d.jpg", "7.webp"])
def test_names_of_images_become_videos_aloud(tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str) -> None:
    path = write(tmp_path / name, 5).finish()
    assert path == (tmp_path / name).with_suffix(".mp4") and list(tmp_path.iterdir()) == [path]
    assert cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT) == 5
    assert f"writing {path} instead" in caplog.text


def test_temporary_names_have_no_digits() -> None:
    names = {temporary_name(Path(), ".gif").stem for _ in range(50)}
    assert len(names) == 50 and not any(letter.isdigit() for name in names for letter in name)


def test_a_full_disk_ends_the_work_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not disk_is_full(tmp_path)
    monkeypatch.setattr("ppdet.inference.video.writer.disk_is_full", lambda folder: True)
    words = "disk of .*clip.mp4 is full after 49 frames"
    with pytest.raises(MediaError, match=words), VideoWriter(tmp_path / "clip.mp4", 25.0, SIZE) as writer:
        while True:
            writer.write(np.zeros((SIZE[1], SIZE[0], 3), np.uint8))
    assert not list(tmp_path.iterdir())


def test_an_interrupted_check_keeps_the_finished_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = write(tmp_path / "clip.mp4")

    def interrupt(path: Path, frames: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ppdet.inference.video.writer.what_is_wrong", interrupt)
    with pytest.raises(KeyboardInterrupt):
        writer.finish()
    assert [file.name for file in tmp_path.iterdir()] == ["clip.mp4"] and what_is_wrong(tmp_path / "clip.mp4", 20) is None
