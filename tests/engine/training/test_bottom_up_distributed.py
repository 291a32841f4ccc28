"""Bottom-up training and evaluation in two real processes on a CPU (gloo) against one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import paddle
import pytest
from support.bottom_up_train_parts import ROOT, group_images, write_bottom_up_config
from support.golden_cases import fill_by_rule

from ppdet.core.config.load import load_config
from ppdet.engine.assembly import Assembly

LAUNCH = ["-m", "paddle.distributed.launch", "--nproc_per_node", "2", "--log_dir", "log"]
# Not Adam: it blows the rounding noise in the gradient of a bias before a batch norm up to full steps.


def run(tool: str, folder: Path, processes: int, *arguments: str) -> str:
    """Run a tool in `folder` with so many processes; returns all it said."""
    folder.mkdir()
    launcher = LAUNCH if processes == 2 else []
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PADDLE_")}
    command = [sys.executable, *launcher, str(ROOT / "tools" / tool), *arguments]
    done = subprocess.run(
        command, cwd=folder, timeout=600, env={**kept, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    log = folder / "log" / "workerlog.0"
    return done.stdout + done.stderr + (log.read_text() if log.is_file() else "")


def rule_weights(config: Path, path: Path) -> Path:
    """Weights that give large heat and tags everywhere, so that every term of the loss counts."""
    model = Assembly(load_config(config)).model()
    fill_by_rule(model)
    paddle.save(model.state_dict(), str(path))
    return path


@pytest.mark.slow
def test_two_processes_train_as_one_with_the_double_batch(tmp_path: Path) -> None:
    extra = "sync_bn: true\nOptimizerBuilder: {optimizer: {type: Momentum, momentum: 0.9}}"
    losses = {}
    for processes in (1, 2):
        config = write_bottom_up_config(tmp_path, 4, side=128, epochs=2, every=1, batch=4 // processes, extra=extra)
        out = tmp_path / f"out{processes}"
        weights = rule_weights(config, tmp_path / "rule.pdparams")
        options = [f"save_dir={out}", "LearningRate.base_lr=0.01", f"pretrain_weights={weights}"]
        run("train.py", tmp_path / f"run{processes}", processes, "-c", str(config), "-o", *options)
        lines = [json.loads(line) for line in (out / "crowd" / "train_log.jsonl").read_text().splitlines()]
        losses[processes] = [[line[name] for name in ("heatmap_loss", "pull_loss", "push_loss", "loss")] for line in lines]
    (first, second), (first_of_two, second_of_two) = losses[1], losses[2]
    assert first_of_two == pytest.approx(first, rel=1e-5)
    assert abs(second[0] - first[0]) > 0.02 * first[0], "it moves, so that equality means something"
    # Norms over few cells blow rounding up: two steps agree to four digits, ten would not.
    assert second_of_two == pytest.approx(second, rel=5e-4)


@pytest.mark.slow
def test_two_processes_evaluate_every_image_once(tmp_path: Path) -> None:
    """Five images: one process takes three of them, the other two."""
    config = write_bottom_up_config(tmp_path, 5, side=128, extra=f"weights: {tmp_path}/rule.pdparams\ncpu_threads: 1")
    rule_weights(config, tmp_path / "rule.pdparams")
    entries = {}
    for processes in (1, 2):
        said = run("eval.py", tmp_path / f"run{processes}", processes, "-c", str(config), "--output_eval", "predictions")
        assert "Total sample number: 5" in said
        entries[processes] = json.loads((tmp_path / f"run{processes}" / "predictions" / "keypoint.json").read_text())
    expected = {image["id"] for image in json.loads(group_images(tmp_path / "again", 5).read_text())["images"]}
    assert {entry["image_id"] for entry in entries[1]} == expected
    assert entries[1] == entries[2]
