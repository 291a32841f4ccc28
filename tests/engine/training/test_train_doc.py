"""The Python in docs/training.md runs, and its table of flags is the command's."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", re.findall(r"^```python\n(.*?)^```", TEXT, flags=re.M | re.S))
def test_examples_run(code):
    exec(compile(code, "docs/training.md", "exec"), {})


def test_every_flag_of_the_page_exists():
    command = [sys.executable, str(ROOT / "tools" / "train.py"), "--help"]
    usage = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    flags = set(re.findall(r"(--[a-z_]+)", TEXT)) - {"--nproc_per_node", "--gpus"}
    assert flags and all(flag in usage for flag in flags), [flag for flag in flags if flag not in usage]
