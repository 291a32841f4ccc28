"""A service of small models whose answers are known: in this process, and as a process of its own on a free port."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from support.planted_models import planted_person, write_detector, write_pose_model

ROOT = Path(__file__).resolve().parents[2]
IMAGE_WH = (96, 128)
POINTS = np.array([[30.0, 40.0], [20.0, 80.0], [70.0, 90.0]])
"""Nose, left hand and right hand of the planted person."""
NAMES = ("nose", "left_hand", "right_hand")
START_SECONDS = 120.0


def planted_image() -> np.ndarray:
    """(H, W, 3) RGB with the planted person."""
    return planted_person(IMAGE_WH, POINTS, 6.0)


def encoded(image: np.ndarray, suffix: str = ".png") -> bytes:
    """An RGB image as the content of a file."""
    return cv2.imencode(suffix, image[..., ::-1])[1].tobytes()


def write_models(folder: Path) -> tuple[str, str]:
    """Folders of the planted pose model and detector."""
    return str(write_pose_model(folder / "kpt")), str(write_detector(folder / "det"))


def write_clip(path: Path, frames: int) -> Path:
    """A video of the planted person, who stands still."""
    codec = "VP80" if path.suffix == ".webm" else "MJPG" if path.suffix == ".avi" else "mp4v"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 25.0, IMAGE_WH)
    for _ in range(frames):
        writer.write(planted_image()[..., ::-1])
    writer.release()
    return path


def assert_planted(people: Any, tolerance: float = 1.5) -> None:
    """One person, where the planted one is."""
    assert len(people) == 1
    found = np.array([people[0]["keypoints"][name][:2] for name in NAMES])
    assert np.abs(found - POINTS).max() < tolerance, found


@dataclass
class Running:
    """A server process."""

    process: subprocess.Popen[str]
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def end(self, number: int = signal.SIGTERM, seconds: float = 60.0) -> int:
        """Send a signal and wait for the exit status."""
        self.process.send_signal(number)
        return self.process.wait(seconds)


@contextmanager
def running_server(folder: Path, *flags: str, models: bool = True) -> Iterator[Running]:
    """`ppdet serve` on a free port, ready; ended with the block if it still runs."""
    words = [sys.executable, "-m", "ppdet", "serve", "--port", "0", *flags]
    if models:
        pose, detector = write_models(folder)
        words += ["--model", pose, "--det", detector]
    log = folder / "serve.log"
    with log.open("w") as stream:
        process = subprocess.Popen(words, stderr=stream, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, text=True)
    try:
        yield Running(process, _port(process, log), log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _port(process: subprocess.Popen[str], log: Path) -> int:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        found = re.search(r" on http://[^:]+:(\d+)", log.read_text())
        if found:
            return int(found[1])
        time.sleep(0.1)
    raise AssertionError(f"the server did not start:\n{log.read_text()}")
