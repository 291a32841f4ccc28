"""tools/check_config.py as a program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GOOD = "configs/keypoint/tiny_pose/tinypose_128x96.yml"


def run(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "tools/check_config.py", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_sound_and_unsound_files(tmp_path):
    pytest.importorskip("paddle")
    bad = tmp_path / "bad.yml"
    bad.write_text("architecture: PETR\nepocs: 3\n")
    broken = tmp_path / "broken.yml"
    broken.write_text("a: [1\n")
    done = run("-c", GOOD, str(bad), str(broken), str(tmp_path / "absent.yml"), "-o", "worker_num=0")
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == f"{GOOD}: ok"
    assert lines[1].startswith(f"{bad}:1: missing: PETR") and lines[2].startswith(f"{bad}:2: error: ")
    assert lines[3] == f"{bad}: 1 error, 1 missing component"
    assert lines[4].startswith(f"{broken}:2: error: ") and lines[5] == f"{broken}: 1 error"
    assert "cannot read" in lines[6]
    assert run("-c", GOOD).returncode == 0


def test_help_imports_nothing_heavy():
    script = ("import runpy, sys; sys.argv = ['check_config.py', '--help']\ntry: runpy.run_path('tools/check_config.py', "
              "run_name='__main__')\nexcept SystemExit: print({'paddle', 'cv2', 'numpy'} & set(sys.modules))")  # fmt: skip
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "--config" in done.stdout and done.stdout.endswith("set()\n"), done.stdout + done.stderr
