"""A training that is killed anywhere and resumed ends as if nothing had happened: the same bytes, batches and log."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.train_parts import SmallReader, small_step

from ppdet.engine.training.callbacks import EarlyStop, Evaluation
from ppdet.engine.training.checkpointer import Checkpointer
from ppdet.engine.training.files import checkpoint_file, finish_pending, load_checkpoint, newest_checkpoint, save_checkpoint
from ppdet.engine.training.state import TrainingState
from ppdet.engine.training.trainer import Trainer

SCRIPT = Path(__file__).resolve().parents[2] / "support" / "killed_training.py"
LEFT = {"best_model.pdparams", "best_model/model.pdparams", "model_final.pdopt", "model_final.pdema", "model_final.pdstates",
        "train_log.jsonl", "order"}  # fmt: skip


def tried(folder: Path, **settings: Any) -> dict[str, Any]:
    command = [sys.executable, str(SCRIPT), str(folder), json.dumps(settings)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert set(result["files"]) >= LEFT, "the comparison would be of nothing"
    return result


@pytest.mark.parametrize(("points", "tries"), [("renames", 9), ("calls", 3)])
def test_some_points(tmp_path: Path, points: str, tries: int) -> None:
    result = tried(tmp_path, points=points, tries=tries, seed=2)
    assert result["tried"] == tries and result["points"] > 100
    assert not result["wrong"]


@pytest.mark.slow
def test_every_rename(tmp_path: Path) -> None:
    """Before and after each of them, and of each removal of a file; old checkpoints are pruned, too."""
    result = tried(tmp_path, points="renames", options=["keep_checkpoints=1"])
    assert result["tried"] == result["points"] > 100
    assert not result["wrong"]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 1, 2])
def test_random_points(tmp_path: Path, workers: int) -> None:
    """50 of them: calls of functions, counted, in the run of the main process."""
    result = tried(tmp_path, points="calls", tries=50 if workers == 0 else 10, seed=workers, workers=workers)
    assert not result["wrong"]


def test_data_workers_do_not_matter_and_a_run_repeats(tmp_path: Path) -> None:
    runs = {"first": ["worker_num=0"], "again": ["worker_num=0"], "one": ["worker_num=1"], "two": ["worker_num=2"],
            "other": ["worker_num=0", "seed=9"]}  # fmt: skip
    result = tried(tmp_path / "runs", runs={name: ["deterministic=true", *options] for name, options in runs.items()})
    assert [result[name] for name in runs if name != "other"] == [[], [], [], []]
    assert "differs: order" in result["other"], "the comparison can fail"


@pytest.mark.parametrize("threads", [1, 2])
def test_a_run_of_as_many_threads_repeats(tmp_path: Path, threads: int) -> None:
    """With convolutions large enough for two threads to share. With another number of threads, sums are rounded otherwise."""
    options = [f"cpu_threads={threads}", "deterministic=true", "worker_num=1", "epoch=1", "TrainReader.batch_size=6",
               "NoisyConvs.width=64"]  # fmt: skip
    result = tried(tmp_path / "runs", runs={"first": options, "again": options})
    assert result["again"] == []


def stopped_in_renaming(folder: Path, after: int, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A checkpoint `x` of iteration 0 that was being replaced by one of iteration 3 when the process died."""
    step = small_step(average="normal")
    save_checkpoint(folder, "x", step, TrainingState())
    state = Trainer(step, SmallReader(), 1).train()
    done = []

    class Dead(BaseException):
        pass

    def replace(source: Any, target: Any, real: Any = os.replace) -> None:
        if Path(target).name.startswith("x."):
            if len(done) == after:
                raise Dead
            done.append(target)
        real(source, target)

    with monkeypatch.context() as patch, pytest.raises(Dead):
        patch.setattr(os, "replace", replace)
        save_checkpoint(folder, "x", step, state)
    return step


@pytest.mark.parametrize("after", range(4))
def test_a_checkpoint_that_was_being_replaced_is_the_new_one(tmp_path: Path, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    step = stopped_in_renaming(tmp_path, after, monkeypatch)
    assert newest_checkpoint(tmp_path) == str(tmp_path / "x")
    for finished in (False, True):  # as it is found, and after the next run has renamed the rest
        again = small_step(seed=8, average="normal")
        assert load_checkpoint(str(tmp_path / "x"), again).step == 3
        for name, value in step.model.state_dict().items():
            np.testing.assert_array_equal(again.model.state_dict()[name].numpy(), value.numpy())
        assert checkpoint_file(str(tmp_path / "x"), ".pdstates").endswith("x.pdstates") == finished
        finish_pending(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.pdema", "x.pdopt", "x.pdparams", "x.pdstates"]


def test_a_replacement_that_was_not_written_whole_is_nothing(tmp_path: Path) -> None:
    step = small_step()
    save_checkpoint(tmp_path, "x", step, TrainingState())
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    (tmp_path / ".x.pending.pdparams").write_bytes(b"new")
    assert newest_checkpoint(tmp_path) == str(tmp_path / "x")
    load_checkpoint(str(tmp_path / "x"), step)
    finish_pending(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def trained(folder: Path, epochs: int, resume: bool = False, keep: int | None = None, patience: int = 9) -> TrainingState:
    figures = iter([0.5, 0.4, 0.3, 0.2, 0.1] if not resume else [0.9] * 5)
    evaluation = Evaluation(lambda: {"AP": next(figures)}, main="AP")
    step, state, prefix = small_step(), TrainingState(), None
    if resume:
        prefix = newest_checkpoint(folder)
        state = load_checkpoint(str(prefix), step)
    callbacks = [evaluation, EarlyStop(patience), Checkpointer(folder, 1, evaluation, keep, prefix)]
    return Trainer(step, SmallReader(), epochs, callbacks, state).train()


def numbers(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("[0-9]*.pdstates"))


def test_old_checkpoints_are_removed(tmp_path: Path) -> None:
    trained(tmp_path, 5, keep=2)
    assert numbers(tmp_path) == ["2", "3"] and {path.stem for path in tmp_path.glob("[0-9]*")} == {"2", "3"}
    assert TrainingState.load(tmp_path / "best_model.pdstates").best_epoch == 1
    assert TrainingState.load(tmp_path / "model_final.pdstates").epoch == 5


def test_a_run_that_had_stopped_early_is_not_continued(tmp_path: Path) -> None:
    """Otherwise a kill after the last checkpoint would make it longer."""
    first = trained(tmp_path, 5, patience=2)
    assert (first.epoch, first.evaluations_since_best) == (3, 2)
    again = trained(tmp_path, 5, resume=True, patience=2)
    assert again.epoch == 3 and again.stop == first.stop and not (tmp_path / "interrupted.pdstates").exists()
    assert trained(tmp_path, 5, resume=True, patience=3).epoch == 5


def test_early_stop_without_a_number(tmp_path: Path) -> None:
    """An evaluation without samples gives nan, and there never is a best."""
    evaluation = Evaluation(lambda: {"AP": float("nan")}, main="AP")
    state = Trainer(small_step(), SmallReader(), 5, [evaluation, EarlyStop(2)]).train()
    assert state.epoch == 2 and "which never was a number" in state.stop
