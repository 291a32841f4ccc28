"""docs/config.md tells the truth: its commands give the output shown, its Python runs, its YAML is legal."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ppdet.core.yaml_loader import ConfigDict, parse_yaml

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "config.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, flags=re.M | re.S)


SESSIONS = [
    (part.split("\n", 1)[0], part.split("\n", 1)[1]) for block in blocks("console") for part in block.split("$ ") if part.strip()
]


def test_the_examples_are_found():
    assert len(SESSIONS) == 3 and len(blocks("python")) == 1 and len(blocks("yaml")) == 3


@pytest.mark.parametrize(("command", "output"), SESSIONS, ids=[str(i) for i in range(len(SESSIONS))])
def test_commands_print_what_the_page_shows(command, output):
    pytest.importorskip("paddle")
    words = command.split(" ")
    assert words[0] == "python"
    done = subprocess.run([sys.executable, *words[1:]], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == output, done.stderr
    assert done.returncode == (0 if output.endswith(": ok\n") else 1)


def test_the_python_runs(monkeypatch):
    monkeypatch.chdir(ROOT)
    exec(compile(blocks("python")[0], "docs/config.md", "exec"), {})


@pytest.mark.parametrize("block", blocks("yaml"))
def test_the_yaml_is_legal(block):
    assert isinstance(parse_yaml(block, "docs/config.md"), ConfigDict)
