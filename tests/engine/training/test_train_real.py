"""The whole of training, from YAML to files, on real photographs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support.shared_data import shared
from support.train_real_parts import ROOT, write_config

from ppdet.core.config.load import load_config
from ppdet.core.errors import CheckpointError, ConfigError


def run_command_line(config: Path, *arguments: str, **kwargs):
    command = [sys.executable, str(ROOT / "tools" / "train.py"), "-c", str(config), *arguments]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PADDLE_")}
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, check=False, **kwargs)


def test_the_command_writes_what_it_says(tmp_path):
    config = write_config(tmp_path, 4, every=1, epochs=2)
    done = run_command_line(config, "--eval", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    run = tmp_path / "out" / "small"
    expected = {"0.pdparams", "0.pdopt", "0.pdstates", "model_final.pdparams", "model_final.pdopt", "best_model.pdparams"}
    assert expected | {"train_log.jsonl", "curves.png", "run.json"} <= {path.name for path in run.iterdir()}
    assert (run / "best_model" / "model.pdparams").is_file()
    assert not list(run.rglob("*.tmp*"))
    assert json.loads((run / "run.json").read_text())["status"] == "finished"
    for text in ("Epoch: [0] [0/1] learning_rate: ", " eta: ", " batch_cost: ", " ips: ", str(run / "model_final.pdparams")):
        assert text in done.stdout, done.stdout
    kinds = [json.loads(line)["kind"] for line in (run / "train_log.jsonl").read_text().splitlines()]
    assert kinds == ["train", "eval", "train", "eval"]

    again = run_command_line(config, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "out" / "small.1" / "best_model.pdparams").is_file() and "held an earlier run" in again.stdout

    resumed = run_command_line(config, "-r", "-o", "epoch=3", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert "epoch 2, iteration 2" in resumed.stdout and "Epoch: [2]" in resumed.stdout
    steps = [json.loads(line)["step"] for line in (run / "train_log.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3]


def test_mistakes_end_with_one_line(tmp_path):
    config = write_config(tmp_path, 4)
    done = run_command_line(config, "-o", "early_stop.patience=3", cwd=tmp_path)
    assert done.returncode == 2 and "early_stop needs evaluations" in done.stderr and "Traceback" not in done.stderr
    done = run_command_line(config, "-r", str(tmp_path / "nothing"), cwd=tmp_path)
    assert done.returncode == 2 and "nothing.pdstates does not exist" in done.stderr
    assert not (tmp_path / "out" / "small" / "run.json").exists()


@pytest.mark.slow
def test_sigterm_saves_and_the_run_continues(tmp_path):
    config = write_config(tmp_path, 4, epochs=500, every=500)
    command = [sys.executable, str(ROOT / "tools" / "train.py"), "-c", str(config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if "Epoch: [1]" in line:
                process.send_signal(signal.SIGTERM)
                break
        rest = process.stdout.read()
        assert process.wait(timeout=300) == 143, rest
    assert "Continue this run with: --resume" in rest
    done = run_command_line(config, "-r", str(tmp_path / "out" / "small" / "interrupted"), "-o", "epoch=4")
    assert done.returncode == 0 and "Resumed" in done.stdout, done.stdout + done.stderr


def test_two_runs_at_once_in_one_folder_are_refused(tmp_path):
    from ppdet.engine.training.folder import RunFolder

    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other:
        RunFolder(tmp_path / "run")
        note = json.loads((tmp_path / "run" / "run.json").read_text())
        (tmp_path / "run" / "run.json").write_text(json.dumps({**note, "pid": other.pid}))
        with pytest.raises(ConfigError, match=f"process {other.pid} is training"):
            RunFolder(tmp_path / "run")
        other.kill()


def test_resume_auto_without_a_run(tmp_path):
    from ppdet.engine.training.run import TrainingOptions, train

    with pytest.raises(CheckpointError, match="no checkpoint"):
        train(load_config(write_config(tmp_path, 4)), TrainingOptions(resume="auto"))


@pytest.mark.slow
def test_training_can_start_from_folded_weights(tmp_path):
    """The released weights have no batch norms left; a training step must not destroy what they know."""
    from ppdet.engine.assembly import Assembly
    from ppdet.engine.evaluation.evaluator import Evaluator
    from ppdet.engine.training.run import TrainingOptions, train
    from ppdet.engine.weights.checkpoint import load_pretrained

    weights = str(shared("data", "weights", "tinypose_128x96.pdparams"))
    config = write_config(tmp_path, 12, batch=6, epochs=3, every=3)
    state = train(
        load_config(config, [f"pretrain_weights={weights}", "LearningRate.base_lr=1.0e-9"]), TrainingOptions(evaluate=True)
    )
    assembly = Assembly(load_config(config))
    model = assembly.model()
    load_pretrained(model, weights)
    before = Evaluator(assembly, model).run()["AP"]
    assert before > 0.4 and state.best == pytest.approx(before, abs=0.1)


@pytest.mark.slow
def test_eight_persons_are_learned_by_heart(tmp_path):
    """If any of crop, target, loss, update, decoding or un-warp were wrong, OKS could not come near 1."""
    from ppdet.engine.training.run import TrainingOptions, train

    began = time.time()
    config = load_config(write_config(tmp_path, 8, batch=8, epochs=300, every=100), ["TopDownHRNet.flip=false"])
    state = train(config, TrainingOptions(evaluate=True))
    lines = [json.loads(line) for line in (tmp_path / "out" / "small" / "train_log.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in lines if line["kind"] == "train"]
    assert state.best > 0.95, (state, lines[-1], time.time() - began)
    assert losses[-1] < 0.2 * losses[0]
    assert np.isfinite(losses).all()
