"""No engine reports to its makers what people run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.planted_models import write_pose_model

PROGRAM = """
import sys
from ppdet.inference.runtimes.registry import load_runtime
load_runtime(sys.argv[1], engine="onnxruntime")
"""


def test_onnx_runtime_leaves_no_machine_id_behind(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    model, home = write_pose_model(tmp_path / "pose"), tmp_path / "home"
    home.mkdir()
    kept = {key: value for key, value in os.environ.items() if key not in ("ORT_DISABLE_TELEMETRY", "CI", "XDG_CACHE_HOME")}
    environment = {**kept, "HOME": str(home), "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    subprocess.run([sys.executable, "-c", PROGRAM, str(model)], check=True, capture_output=True, env=environment)
    assert not [path for path in home.rglob("*") if "onnxruntime" in path.name]


@pytest.mark.parametrize(("given", "seen"), [(None, "1"), ("0", "0")])
def test_a_users_own_choice_stays(given: str | None, seen: str) -> None:
    kept = {key: value for key, value in os.environ.items() if key != "ORT_DISABLE_TELEMETRY"}
    environment = {**kept, **({} if given is None else {"ORT_DISABLE_TELEMETRY": given})}
    command = [sys.executable, "-c", "import ppdet, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd=Path(__file__).parents[3])
    assert done.stdout.strip() == seen
