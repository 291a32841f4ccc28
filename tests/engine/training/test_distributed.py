"""Two real processes on a CPU (gloo) against one process with the batch of both."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.shared_data import shared
from support.train_real_parts import ROOT, write_config

from ppdet.engine import distributed

WORKER = str(Path(__file__).resolve().parents[2] / "support" / "distributed_worker.py")


def environment():
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PADDLE_")}
    return {**kept, "OMP_NUM_THREADS": "1"}


def one(kind, folder):
    folder.mkdir()
    subprocess.run([sys.executable, WORKER, kind, str(folder)], check=True, timeout=120, env=environment())
    return json.loads((folder / "rank0.json").read_text())


def two(kind, folder):
    folder.mkdir()
    done = launched(kind, folder)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return [json.loads((folder / f"rank{rank}.json").read_text()) for rank in (0, 1)]


def launched(kind, folder):
    launch = [sys.executable, "-m", "paddle.distributed.launch", "--nproc_per_node", "2"]
    command = [*launch, "--log_dir", str(folder / "log"), WORKER, kind, str(folder)]
    return subprocess.run(command, timeout=180, env=environment(), capture_output=True, text=True)


@pytest.mark.parametrize(
    "kind", ["sync_bn", pytest.param("no_norm", marks=pytest.mark.slow), pytest.param("accumulate", marks=pytest.mark.slow)]
)
def test_two_processes_are_one_with_the_double_batch(tmp_path, kind):
    alone = one(kind, tmp_path / "one")
    first, second = two(kind, tmp_path / "two")
    assert alone["steps"] == first["steps"] == 6
    np.testing.assert_allclose(first["losses"], alone["losses"], rtol=2e-5)
    assert first["losses"] == second["losses"]
    for name, value in alone["weights"].items():
        np.testing.assert_allclose(first["weights"][name], value, rtol=1e-4, atol=2e-6, err_msg=name)
        np.testing.assert_allclose(second["weights"][name], first["weights"][name], rtol=1e-6, atol=1e-7)
    assert first["total"] == second["total"] == [3.0]
    assert sorted(first["shares"][0] + first["shares"][1]) == list(range(11))


@pytest.mark.slow
def test_plain_batch_norm_sees_each_process_alone(tmp_path):
    """So its losses differ from those of the double batch: why `sync_bn` exists, and proof that the test above can fail."""
    alone = one("plain_bn", tmp_path / "one")
    first, second = two("plain_bn", tmp_path / "two")
    assert first["weights"] == second["weights"]  # running statistics too: they are averaged at the end of an epoch
    assert np.abs(np.array(first["losses"]) - alone["losses"]).max() > 1e-4


def test_a_reader_that_fails_in_one_process_on_ctrl_c_leaves_no_process_waiting(tmp_path):
    first, second = two("reader_fails", tmp_path / "two")
    assert first["steps"] == second["steps"] == 2 and first["weights"] == second["weights"]
    assert first["stop"] == "another process was interrupted" and second["stop"] == "interrupted by SIGINT"


def test_a_process_that_is_killed_ends_the_run_clearly_and_the_run_resumes_bit_for_bit(tmp_path):
    first, _ = two("undisturbed", tmp_path / "whole")
    folder = tmp_path / "parts"
    folder.mkdir()
    done = launched("rank_dies", folder)
    said = (folder / "log" / "workerlog.0").read_text()
    assert done.returncode != 0 and not (folder / "rank0.json").exists()
    assert "process 0 of 2 lost contact with another process of this run" in said and "with --resume" in said
    assert sorted(path.name for path in (folder / "run").iterdir()) == ["0.pdopt", "0.pdparams", "0.pdstates"]
    assert launched("resumes", folder).returncode == 0
    again = json.loads((folder / "rank0.json").read_text())
    assert again["weights"] == first["weights"] and again["losses"] == first["losses"][-len(again["losses"]) :]
    for name in ("1.pdparams", "model_final.pdparams", "model_final.pdopt", "model_final.pdstates"):
        assert (folder / "run" / name).read_bytes() == (tmp_path / "whole" / "run" / name).read_bytes(), name


def test_errors_that_are_no_lost_contact_stay_what_they_are(monkeypatch):
    monkeypatch.setenv("PADDLE_TRAINERS_NUM", "2")
    for error in (RuntimeError("out of memory"), ValueError("gloo")):
        with pytest.raises(type(error), match=str(error)), distributed.notice_lost_processes():
            raise error
    with pytest.raises(distributed.LostProcessError, match="closed"), distributed.notice_lost_processes():
        raise RuntimeError("[gloo/transport/tcp/pair.cc:584] Connection closed by peer")
    monkeypatch.setenv("PADDLE_TRAINERS_NUM", "1")
    with pytest.raises(RuntimeError, match="gloo"), distributed.notice_lost_processes():
        raise RuntimeError("gloo")


def test_the_command_under_launch_evaluates_every_sample_once(tmp_path):
    """Nine persons for two processes: one process evaluates five, the other four."""
    config = write_config(tmp_path, 9, batch=2, epochs=1, extra="sync_bn: true")
    figures = {}
    launch = ["-m", "paddle.distributed.launch", "--nproc_per_node", "2", "--log_dir", "log"]
    for name, launcher in {"two": launch, "one": []}.items():
        command = [sys.executable, *launcher, str(ROOT / "tools" / "train.py"), "-c", str(config), "--eval"]
        weights = [f"pretrain_weights={shared('data', 'weights', 'tinypose_128x96.pdparams')}", "LearningRate.base_lr=1e-9"]
        command += ["-o", f"save_dir={tmp_path / name}", *weights]
        done = subprocess.run(command, timeout=300, env=environment(), capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        log = (tmp_path / name / "small" / "train_log.jsonl").read_text().splitlines()
        figures[name] = json.loads(log[-1])
        assert "Total sample number: 9" in done.stdout + (tmp_path / "log" / "workerlog.0").read_text()
    # The running statistics have seen different augmented batches, so figures are near and not equal.
    assert figures["two"]["AP"] == pytest.approx(figures["one"]["AP"], abs=0.05) and figures["one"]["AP"] > 0.3
