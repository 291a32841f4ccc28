"""One run per folder, whole checkpoints, whatever happens: two starts at once, kills, full disks."""

from __future__ import annotations

import errno
import multiprocessing
import os

import pytest
from support.stick_training import stick_config
from support.train_parts import SmallReader, small_step

from ppdet.core.errors import ConfigError
from ppdet.engine.training.checkpointer import Checkpointer
from ppdet.engine.training.files import load_checkpoint, newest_checkpoint, save_checkpoint
from ppdet.engine.training.folder import RunFolder
from ppdet.engine.training.run import TrainingOptions, train
from ppdet.engine.training.state import TrainingState
from ppdet.engine.training.train_step import TrainingError
from ppdet.engine.training.trainer import Trainer


def start(path, resume, gate, results, done):
    gate.wait()
    try:
        folder = RunFolder(path, resume=resume)
    except ConfigError as error:
        results.put(str(error))
    else:
        results.put("")
        done.wait(20)
        del folder
    os._exit(0)


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("earlier", [False, True])
def test_of_starts_at_the_same_instant_one_is_accepted(tmp_path, earlier, resume):
    fork = multiprocessing.get_context("fork")
    for attempt in range(4):
        path = tmp_path / f"run{attempt}"
        if earlier:
            RunFolder(path).close("finished")
        gate, done, results = fork.Barrier(3), fork.Event(), fork.SimpleQueue()
        processes = [fork.Process(target=start, args=(path, resume, gate, results, done)) for _ in range(3)]
        for process in processes:
            process.start()
        said = [results.get() for _ in processes]
        done.set()
        for process in processes:
            process.join()
        assert sorted(bool(text) for text in said) == [False, True, True], said
        assert all("is training in" in text for text in said if text)


def test_a_lock_ends_with_its_process_and_does_not_stop_the_next(tmp_path):
    RunFolder(tmp_path / "run").close("failed")
    RunFolder(tmp_path / "run", resume=True).close("finished")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_what_a_killed_run_left_is_no_checkpoint_and_is_removed(tmp_path):
    folder = tmp_path / "run"
    Trainer(small_step(), SmallReader(), 2, [Checkpointer(folder)]).train()
    left = [folder / ".2.123-0a1b2c3d.tmp.pdstates", folder / "best_model" / ".model.9-00000000.tmp.pdparams"]
    left[1].parent.mkdir()
    left[0].write_bytes((folder / "model_final.pdstates").read_bytes())
    left[1].write_bytes(b"half")
    (folder / ".mine").write_text("stays")
    assert newest_checkpoint(folder) == str(folder / "model_final")
    RunFolder(folder, resume=True).close("finished")
    assert not any(path.exists() for path in left) and (folder / ".mine").exists()


def test_a_damaged_newest_state_is_passed_over(tmp_path, caplog):
    Trainer(small_step(), SmallReader(), 2, [Checkpointer(tmp_path)]).train()
    (tmp_path / "model_final.pdstates").write_bytes(b"\x80\x04half")
    assert newest_checkpoint(tmp_path) == str(tmp_path / "0")
    assert "model_final.pdstates" in caplog.text


class FullDisk:
    """From the n-th file on, the disk is full."""

    def __init__(self, monkeypatch, free):
        import ppdet.engine.weights.checkpoint as checkpoint

        self.free, self._dump = free, checkpoint.pickle.dump
        monkeypatch.setattr(checkpoint.pickle, "dump", self.dump)

    def dump(self, content, file, protocol):
        self.free -= 1
        if self.free < 0:
            file.write(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._dump(content, file, protocol=protocol)


@pytest.mark.parametrize("free", [0, 1, 2])
def test_a_full_disk_leaves_the_checkpoint_of_that_name_whole(tmp_path, monkeypatch, free):
    save_checkpoint(tmp_path, "best_model", small_step(seed=1), TrainingState(epoch=1, step=3))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    FullDisk(monkeypatch, free)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(tmp_path, "best_model", small_step(seed=2), TrainingState(epoch=2, step=6))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert load_checkpoint(str(tmp_path / "best_model"), small_step(seed=3)).step == 3


def test_a_full_disk_while_training_ends_in_a_message_and_the_run_continues(tmp_path, monkeypatch):
    config = stick_config(tmp_path)
    with monkeypatch.context() as patch:
        FullDisk(patch, 4)  # the first checkpoint is three files
        with pytest.raises(TrainingError, match=r"cannot write to .*No space left.*\n?.*--resume"):
            train(config)
    assert newest_checkpoint(tmp_path / "out" / "stick_64x48").endswith("0")
    assert train(config, TrainingOptions(resume="auto")).epoch == 2


@pytest.mark.parametrize("epochs", [1, 6])
def test_a_learning_rate_of_a_million_ends_in_an_error(tmp_path, epochs):
    """The loss stays finite, about 1e10, and the weights are useless: status 2, no model_final."""
    config = stick_config(tmp_path, "LearningRate.base_lr=1e6", f"epoch={epochs}")
    with pytest.raises(TrainingError, match="diverged|not a finite number"):
        train(config)
    assert not (tmp_path / "out" / "stick_64x48" / "model_final.pdparams").exists()
