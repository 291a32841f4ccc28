"""PicoDet learns sixteen real photographs by heart, through all three assigners; 7 minutes of one core each."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.detector_train_parts import ROOT, write_detector_config

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("head", ["lcnet", "esnet"])
def test_sixteen_images_are_learned_by_heart(tmp_path: Path, head: str) -> None:
    extra = "PicoHeadV2: {static_assigner_epoch: 60}" if head == "lcnet" else ""
    config = write_detector_config(tmp_path, 16, epochs=240, every=60, head=head, extra=extra)
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "train.py"), "-c", str(config), "--eval"],
        capture_output=True, text=True, timeout=7200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    lines = [json.loads(line) for line in (tmp_path / "out" / head / "train_log.jsonl").read_text().splitlines()]
    assert max(line["AP"] for line in lines if line["kind"] == "eval") > 0.9
