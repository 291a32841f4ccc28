"""A loss that is not a number: the run ends, or goes on as if the batch had not been there and keeps it for a look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.stick_training import stick_config
from support.train_parts import SmallReader, small_step

from ppdet.core.errors import ConfigError
from ppdet.engine.training.callbacks import Callback, LossWatch
from ppdet.engine.training.checkpointer import Checkpointer
from ppdet.engine.training.files import load_checkpoint
from ppdet.engine.training.log import TrainingLog, read_log
from ppdet.engine.training.progress import Progress
from ppdet.engine.training.run import train
from ppdet.engine.training.skipped_batches import MOST_FILES, MOST_IN_A_ROW, SkippedBatches
from ppdet.engine.training.state import TrainingState
from ppdet.engine.training.train_step import TrainingError
from ppdet.engine.training.trainer import Trainer


def everything(step: Any) -> dict[str, np.ndarray]:
    moments = {f"{kind} {name}": t for kind, held in step.optimizer._accumulators.items() for name, t in held.items()}
    tensors = {**step.model.state_dict(), **(step.average.average if step.average else {}), **moments}
    return {name: tensor.numpy().copy() for name, tensor in tensors.items()}


class Watch(Callback):
    """What the step held after each iteration."""

    def __init__(self) -> None:
        self.after: list[dict[str, np.ndarray]] = []

    def after_step(self, run: Any, losses: Any, times: Any) -> None:
        self.after.append(everything(run.step))


class BadImage(SmallReader):
    """One image is nan, and with it what its batch does to running statistics."""

    def _batch(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        batch = super()._batch(indices)
        batch["image"][indices == self.poison] = np.nan
        return batch


@pytest.mark.parametrize("accumulate", [1, 3])
def test_a_skipped_batch_changes_nothing(tmp_path: Path, accumulate: int, caplog: pytest.LogCaptureFixture) -> None:
    """Neither weights nor running statistics, moments or averages; of accumulated batches, none counts."""
    watch, log = Watch(), TrainingLog(tmp_path, 3)
    step, reader = small_step(average="normal", skip_bad_losses=True), BadImage(poison=9)
    callbacks = [watch, Progress(), LossWatch(), log, Checkpointer(tmp_path)]
    state = Trainer(step, reader, 2, callbacks, accumulate=accumulate, skipped=SkippedBatches(tmp_path)).train()
    files = sorted((tmp_path / "skipped").iterdir())
    assert state.skipped == len(files) == 2 and state.skipped_in_a_row == 0 and state.step == 6
    for file in files:
        kept, number = np.load(file, allow_pickle=False), int(file.stem)
        assert 9 in kept["index"] and np.isnan(kept["image"]).any() and kept["target"].shape == (4, 2, 6, 5)
        assert ", ".join(str(1000 + i) for i in kept["index"]) in caplog.text and file.name in caplog.text
        same = watch.after[number - 1] if number else None
        for name, value in watch.after[number].items() if same else ():
            np.testing.assert_array_equal(value, same[name], err_msg=name)  # type: ignore[index]
    assert all(np.isfinite(value).all() for value in everything(step).values())
    assert step.average is not None and step.average.updates == (4 if accumulate == 1 else 0)
    assert [np.isfinite(line["loss"]) for line in read_log(log.path)] == [True, True]
    again = small_step(average="normal")
    assert load_checkpoint(str(tmp_path / "model_final"), again).skipped == 2


def test_the_rest_of_a_run_is_that_without_the_batch(tmp_path: Path) -> None:
    """Against a run that is given the same batches but for the bad ones, at the same rates and random numbers."""
    skipping, plain = small_step(skip_bad_losses=True, dropout=0.3), small_step(dropout=0.3)
    Trainer(skipping, BadImage(poison=9), 2, skipped=SkippedBatches(tmp_path)).train()
    reader = BadImage(poison=9)
    for epoch in range(2):
        reader.set_epoch(epoch)
        for batch in reader:
            if np.isnan(batch["image"]).any():
                plain.jump_to(plain.iteration + 1)
            else:
                plain(batch)
    for name, value in everything(skipping).items():
        if name in plain.model.state_dict():
            np.testing.assert_array_equal(value, plain.model.state_dict()[name].numpy(), err_msg=name)


def test_too_many_in_a_row_end_the_run(tmp_path: Path) -> None:
    class AllBad(SmallReader):
        def _batch(self, indices: np.ndarray) -> dict[str, np.ndarray]:
            batch = super()._batch(indices)
            return {**batch, "target": batch["target"] * np.nan}

    trainer = Trainer(small_step(skip_bad_losses=True), AllBad(), 9, [LossWatch()], skipped=SkippedBatches(tmp_path))
    with pytest.raises(TrainingError, match=f"the {MOST_IN_A_ROW} iterations up to this one were all skipped"):
        trainer.train()
    assert trainer.state.skipped == MOST_IN_A_ROW == len(list((tmp_path / "skipped").iterdir()))


def test_only_so_many_files_are_written(tmp_path: Path) -> None:
    trainer = Trainer(small_step(skip_bad_losses=True), BadImage(poison=9), 30, skipped=SkippedBatches(tmp_path))
    assert trainer.train().skipped == 30 and len(list((tmp_path / "skipped").iterdir())) == MOST_FILES


def test_a_state_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    import pickle

    TrainingState(epoch=2, step=6, skipped=3).save(tmp_path / "new.pdstates")
    assert TrainingState.load(tmp_path / "new.pdstates").skipped == 3
    content = pickle.loads((tmp_path / "new.pdstates").read_bytes())
    del content["skipped"], content["skipped_in_a_row"]
    (tmp_path / "old.pdstates").write_bytes(pickle.dumps(content))
    assert TrainingState.load(tmp_path / "old.pdstates") == TrainingState(epoch=2, step=6)


def test_the_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """From the config: stop by default, with the way out named; skip; nothing else."""
    from ppdet.modeling.losses.keypoint_mse import KeyPointMSELoss

    calls = []

    def loss(self: Any, outputs: Any, batch: Any, real: Any = KeyPointMSELoss.forward) -> Any:
        calls.append(1)
        return {name: value * (np.nan if len(calls) == 2 else 1.0) for name, value in real(self, outputs, batch).items()}

    monkeypatch.setattr(KeyPointMSELoss, "forward", loss)
    with pytest.raises(TrainingError, match="iteration 1: loss nan\n.*\n.*-o bad_loss=skip"):
        train(stick_config(tmp_path / "stop"))
    calls.clear()
    assert train(stick_config(tmp_path / "skip", "bad_loss=skip")).skipped == 1
    assert "1 batch skipped, since the loss was not a finite number: " in caplog.text
    with pytest.raises(ConfigError, match="stop or skip; got 'ignore'"):
        train(stick_config(tmp_path / "wrong", "bad_loss=ignore"))
