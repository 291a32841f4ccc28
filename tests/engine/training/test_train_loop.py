"""The training loop on a small network: it learns, resumes as if never stopped, and stops for good reasons."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

import numpy as np
import pytest
from support.train_parts import SmallReader, small_step

from ppdet.core.errors import CheckpointError, ConfigError
from ppdet.engine.training.callbacks import Callback, EarlyStop, Evaluation, LossWatch
from ppdet.engine.training.checkpointer import Checkpointer
from ppdet.engine.training.files import load_checkpoint, newest_checkpoint
from ppdet.engine.training.interrupt import SS_DISABLE, Interrupt, Stack
from ppdet.engine.training.state import TrainingState
from ppdet.engine.training.train_step import StepLosses, TrainingError
from ppdet.engine.training.trainer import Trainer


class Record(Callback):
    """Keeps the loss and the rate of every iteration."""

    def __init__(self, act_at: int = -1, act=None):
        self.losses, self.rates, self.act_at, self.act = [], [], act_at, act

    def before_training(self, run):
        self.next_rate = run.step.learning_rate

    def after_step(self, run, losses, times):
        self.losses.append(losses["loss"])
        self.rates.append(self.next_rate)
        self.next_rate = run.step.learning_rate
        if run.state.step == self.act_at:
            self.act()


def run(folder, epochs, resume=None, act_at=-1, act=None, accumulate=1, **kwargs):
    reader = SmallReader()
    step = small_step(**kwargs)
    state = load_checkpoint(str(resume), step) if resume else TrainingState()
    record = Record(act_at, act)
    trainer = Trainer(step, reader, epochs, [record, Checkpointer(folder)], state, accumulate)
    trainer.train()
    return record, step, trainer.state


def weights(step):
    return {name: value.numpy() for name, value in step.model.state_dict().items()}


def assert_same_weights(first, second):
    for name, value in weights(first).items():
        np.testing.assert_allclose(weights(second)[name], value, rtol=1e-6, atol=1e-7, err_msg=name)


def test_it_learns(tmp_path):
    record, _, state = run(tmp_path, 4)
    assert len(record.losses) == 12 and state.epoch == 4 and state.step == 12
    assert np.mean(record.losses[-3:]) < np.mean(record.losses[:3])


@pytest.mark.parametrize(
    "kwargs",
    [
        {"optimizer": {"type": "Adam"}},
        {"optimizer": {"type": "Momentum", "momentum": 0.9}},
        {"optimizer": {"type": "AdamW"}, "average": "threshold"},
        {"dropout": 0.5, "average": "normal"},
    ],
)
def test_two_epochs_and_two_more_are_four(tmp_path, kwargs):
    whole, whole_step, whole_state = run(tmp_path / "whole", 4, **kwargs)
    run(tmp_path / "parts", 2, **kwargs)
    rest, rest_step, rest_state = run(tmp_path / "parts", 4, resume=tmp_path / "parts" / "model_final", **kwargs)
    np.testing.assert_allclose(rest.losses, whole.losses[6:], rtol=1e-5)
    np.testing.assert_allclose(rest.rates, whole.rates[6:])
    assert_same_weights(whole_step, rest_step)
    assert (rest_state.epoch, rest_state.step) == (whole_state.epoch, whole_state.step)
    if whole_step.average is not None:
        for name, value in whole_step.average.state().items():
            np.testing.assert_allclose(rest_step.average.state()[name], value, rtol=1e-5, atol=1e-7)


def test_resuming_without_the_optimizer_is_refused(tmp_path):
    run(tmp_path, 2)
    (tmp_path / "model_final.pdopt").unlink()
    with pytest.raises(CheckpointError, match="model_final.pdopt does not exist.* use -o pretrain_weights"):
        run(tmp_path, 4, resume=tmp_path / "model_final")
    (tmp_path / "model_final.pdstates").unlink()
    with pytest.raises(CheckpointError, match="model_final.pdstates does not exist.* use -o pretrain_weights"):
        run(tmp_path, 4, resume=tmp_path / "model_final")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_within_an_epoch_continues_there(tmp_path, number):
    whole, whole_step, _ = run(tmp_path / "whole", 3)
    first, _, state = run(tmp_path / "parts", 3, act_at=4, act=lambda: os.kill(os.getpid(), number))
    assert state.interrupted and (state.epoch, state.batch, state.step) == (1, 1, 4)
    newest = newest_checkpoint(tmp_path / "parts")
    assert newest == str(tmp_path / "parts" / "interrupted")
    rest, rest_step, _ = run(tmp_path / "parts", 3, resume=newest)
    np.testing.assert_allclose(first.losses + rest.losses, whole.losses, rtol=1e-5)
    assert_same_weights(whole_step, rest_step)
    assert not (tmp_path / "parts" / "interrupted.pdparams").exists()


def test_signals_do_not_need_the_stack_that_paddle_gives_them() -> None:
    """With OpenVINO in the process it is too small on some processors, and the signal ends it."""
    if sys.platform != "linux":
        pytest.skip("a matter of Linux")
    with Interrupt() as interrupt:
        held = Stack()
        ctypes.CDLL(None).sigaltstack(None, ctypes.byref(held))
        assert held.flags & SS_DISABLE
        os.kill(os.getpid(), signal.SIGINT)
    assert interrupt.reason == "interrupted by SIGINT"


def test_repeated_sigterm_does_not_end_the_saving(tmp_path):
    """Paddle's launcher sends it three times within half a second."""

    class Late(Callback):
        def after_training(self, run):
            os.kill(os.getpid(), signal.SIGTERM)

    record = Record(2, lambda: os.kill(os.getpid(), signal.SIGTERM))
    state = Trainer(small_step(), SmallReader(), 3, [record, Late(), Checkpointer(tmp_path)]).train()
    assert state.interrupted and (tmp_path / "interrupted.pdstates").exists()


def test_accumulated_gradients_are_those_of_the_big_batch(tmp_path):
    """Without batch norm, two batches of 4 accumulated move the weights as one batch of 8 does."""
    kwargs = {"norm": False, "optimizer": {"type": "SGD"}}
    batches = list(SmallReader(8, 4))
    together = {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
    small, big = small_step(**kwargs), small_step(**kwargs)
    small.jump_to(2), big.jump_to(2)
    small(batches[0], loss_weight=0.5, update=False)
    small.jump_to(2)
    small(batches[1], loss_weight=0.5)
    big(together)
    assert_same_weights(big, small)


def test_the_rest_of_an_epoch_makes_an_update(tmp_path):
    _, step, _ = run(tmp_path, 1, accumulate=2, average="normal")
    assert step.average.updates == 2  # three batches: two together, one alone


def test_a_loss_that_is_no_number_names_iteration_and_images(tmp_path):
    step, reader = small_step(), SmallReader(poison=5)
    trainer = Trainer(step, reader, 2)
    with pytest.raises(TrainingError, match=r"iteration \d.*\n.*images: .*1005"):
        trainer.train()
    assert all(np.isfinite(value).all() for value in weights(step).values())


def deferred_step(**kwargs):
    """A step that leaves its losses on the device, as on a GPU."""
    step = small_step(**kwargs)
    step.checks_losses = False
    return step


def test_losses_on_the_device_are_the_same_and_read_now_and_then(monkeypatch):
    reads = []
    fetch = StepLosses.fetch

    def counting(several):
        reads.append(sum(not losses.ready for losses in several))
        fetch(several)

    monkeypatch.setattr(StepLosses, "fetch", staticmethod(counting))

    class Late(Callback):
        def __init__(self):
            self.ready, self.losses = [], []

        def after_step(self, run, losses, times):
            self.ready.append(losses.ready)
            self.losses.append(losses)

    plain, late = Record(), Late()
    Trainer(small_step(per_epoch=6), SmallReader(24), 1, [plain]).train()
    reads.clear()
    Trainer(deferred_step(per_epoch=6), SmallReader(24), 1, [late], look_every=4).train()
    assert late.ready == [True, False, False, True, True, True]  # first, every fourth, and the fifth, which is logged
    assert [count for count in reads if count] == [1, 3, 1, 1]
    assert [losses["loss"] for losses in late.losses] == plain.losses


def test_a_bad_loss_found_late_names_its_own_iteration_and_images():
    order = np.random.default_rng([7, 0]).permutation(24)
    trainer = Trainer(deferred_step(per_epoch=6), SmallReader(24, poison=int(order[4])), 1, look_every=6)
    with pytest.raises(TrainingError, match=rf"iteration 1: .*\n.*batch 1; images: {1000 + order[4]},"):
        trainer.train()


@pytest.mark.parametrize("epochs", [1, 3])
def test_a_loss_that_runs_away_for_good_is_an_error(tmp_path, epochs):
    """A learning rate of 1e6: the loss stays a finite number, and is useless."""

    class RunsAway(SmallReader):
        def _batch(self, indices):
            batch = super()._batch(indices)
            batch["target"] *= 1e12 if self.epoch == epochs - 1 and len(given) else 1.0
            given.append(1)
            return batch

    given = []
    with pytest.raises(TrainingError, match="training diverged: the loss jumped from about"):
        Trainer(small_step(), RunsAway(), epochs, [LossWatch(), Checkpointer(tmp_path)]).train()
    assert not (tmp_path / "model_final.pdparams").exists()
    assert len(list(tmp_path.glob("?.pdparams"))) == epochs - 1


def test_a_reader_that_fails_on_ctrl_c_ends_the_run_as_interrupted(tmp_path):
    class Fails(SmallReader):
        def __iter__(self):
            for number, batch in enumerate(super().__iter__()):
                if number == 1:
                    os.kill(os.getpid(), signal.SIGINT)
                    raise RuntimeError("a data worker was interrupted")
                yield batch

    state = Trainer(small_step(), Fails(), 2, [Checkpointer(tmp_path)]).train()
    assert state.interrupted and state.step == 1 and (tmp_path / "interrupted.pdstates").exists()


def test_a_broken_model_does_not_overwrite_a_checkpoint(tmp_path):
    _, step, state = run(tmp_path, 1)
    before = (tmp_path / "model_final.pdparams").read_bytes()
    step.model.last.bias.set_value(np.array([np.nan, 0.0], np.float32))
    checkpointer = Checkpointer(tmp_path)
    with pytest.raises(CheckpointError, match="last.bias"):
        checkpointer.after_epoch(Trainer(step, SmallReader(), 1, state=state))
    assert (tmp_path / "model_final.pdparams").read_bytes() == before


def test_best_model_and_early_stop(tmp_path):
    figures = iter([0.2, 0.6, 0.5, 0.6, 0.4, 0.9])
    evaluation = Evaluation(lambda: {"PCKh": next(figures), "AP": -1.0}, main="PCKh")
    trainer = Trainer(small_step(), SmallReader(), 6, [evaluation, EarlyStop(3), Checkpointer(tmp_path, 1, evaluation)])
    state = trainer.train()
    assert state.epoch == 5 and (state.best, state.best_epoch, state.metric) == (0.6, 4, "PCKh")  # of equals the later
    assert "no better PCKh in 3 evaluations" in state.stop
    kept = TrainingState.load(tmp_path / "best_model.pdstates")
    assert kept.best_epoch == 4 and kept.best == 0.6
    assert (tmp_path / "best_model" / "model.pdparams").exists() and (tmp_path / "model_final.pdparams").exists()
    assert sorted(path.stem for path in tmp_path.glob("?.pdparams")) == ["0", "1", "2", "3"]


def test_smaller_can_be_better_and_best_survives_a_resume(tmp_path):
    first = Evaluation(iter([{"error": 3.0}, {"error": 2.0}]).__next__, main="error", higher_is_better=False)
    Trainer(small_step(), SmallReader(), 2, [first, Checkpointer(tmp_path, 1, first)]).train()
    step = small_step()
    state = load_checkpoint(str(tmp_path / "model_final.pdparams"), step)
    assert (state.best, state.best_epoch) == (2.0, 2)
    second = Evaluation(iter([{"error": 2.5}]).__next__, main="error", higher_is_better=False)
    assert Trainer(step, SmallReader(), 3, [second], state).train().best == 2.0


def test_averaged_weights_are_evaluated_and_saved(tmp_path):
    seen = []
    step = small_step(average="normal")
    evaluation = Evaluation(lambda: seen.append(weights(step)) or {"AP": 1.0}, main="AP")
    Trainer(step, SmallReader(), 1, [evaluation, Checkpointer(tmp_path, 1, evaluation)]).train()
    np.testing.assert_array_equal(seen[0]["last.weight"], step.average.state()["last.weight"])
    assert not np.array_equal(seen[0]["last.weight"], weights(step)["last.weight"])
    import paddle

    saved = paddle.load(str(tmp_path / "model_final.pdparams"))
    raw = paddle.load(str(tmp_path / "model_final.pdema"))
    np.testing.assert_array_equal(saved["last.weight"].numpy(), seen[0]["last.weight"])
    np.testing.assert_array_equal(raw["last.weight"].numpy(), weights(step)["last.weight"])


def test_a_missing_main_figure_is_named():
    evaluation = Evaluation(lambda: {"AP": 0.1, "AR": 0.2}, main="PCKh")
    with pytest.raises(ConfigError, match="no 'PCKh'.*AP, AR"):
        Trainer(small_step(), SmallReader(), 1, [evaluation]).train()


def test_resuming_with_another_model_is_refused(tmp_path):
    run(tmp_path, 1)
    with pytest.raises(CheckpointError, match="does not fit this model"):
        from support.train_parts import SmallNet

        step = small_step()
        step.model = SmallNet(norm=False)
        step.model.other = step.model.first.__class__(1, 1, 1)
        load_checkpoint(str(tmp_path / "model_final"), step)


def test_a_state_that_runs_code_is_refused(tmp_path):
    (tmp_path / "evil.pdstates").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(CheckpointError, match="cannot be read"):
        TrainingState.load(tmp_path / "evil.pdstates")


@pytest.mark.parametrize("accumulate", [0, 1.5])
def test_accumulate_must_be_a_count(accumulate):
    with pytest.raises(ConfigError, match="accumulate_steps"):
        Trainer(small_step(), SmallReader(), 1, accumulate=accumulate)
