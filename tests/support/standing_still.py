"""Runs a command that stands still in the middle of a video, so that it can be interrupted there on any machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FRAMES = 100
"""Results before it stands still."""
PROGRAM = f"""
import pathlib, runpy, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
from ppdet.inference.pipeline import PosePipeline
result, calls = PosePipeline.result, []
def waiting(*words, **more):
    calls.append(1)
    while len(calls) > {FRAMES}:
        pathlib.Path(marker).touch()
        time.sleep(0.02)
    return result(*words, **more)
PosePipeline.result = waiting
marker, *sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def start_and_wait(marker: Path, *command: str) -> subprocess.Popen:
    """Start a script of the repository, and wait until it stands still or has ended.

    Args:
        marker: a file that does not exist.
        command: the script's path in the repository, and its arguments.
    """
    running = subprocess.Popen([sys.executable, "-c", PROGRAM, str(marker), *command], cwd=ROOT, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    while running.poll() is None and not marker.exists():
        time.sleep(0.05)
    return running
