"""A time budget ends a run in time, at the lowest learning rate, whatever the speed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, List

import pytest
from support.train_parts import SmallReader, small_step

from ppdet.core.errors import ConfigError
from ppdet.engine.training.callbacks import Callback
from ppdet.engine.training.files import load_checkpoint, save_checkpoint
from ppdet.engine.training.state import TrainingState
from ppdet.engine.training.time_budget import TimeBudget
from ppdet.engine.training.trainer import Trainer

PLANNED = 20


class Clock:
    """Seconds that pass by `per_epoch`, which may change, and no others."""

    def __init__(self, durations: Any) -> None:
        self.now, self.durations = 100.0, durations

    def __call__(self) -> float:
        return self.now


class Ticking(Callback):
    """Lets an epoch take its time, and notes the rates. Comes before the budget, which looks at the clock."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.rates: List[float] = []

    def after_step(self, run: Any, losses: Any, times: Any) -> None:
        self.rates.append(run.step.learning_rate)

    def after_epoch(self, run: Any) -> None:
        self.clock.now += self.clock.durations(run.state.epoch)


def run_with(durations: Any, minutes: float, state: Any = None, step: Any = None, **more: Any) -> Any:
    clock = Clock(durations)
    ticking = Ticking(clock)
    trainer = Trainer(step or small_step(epochs=PLANNED), SmallReader(), PLANNED,
                      [ticking, TimeBudget(minutes, clock=clock, **more)], state)  # fmt: skip
    return trainer, trainer.train(), clock.now - 100.0, ticking.rates


def test_a_run_that_fits_is_left_as_it_is() -> None:
    trainer, state, seconds, rates = run_with(lambda epoch: 2.0, minutes=1.0)
    assert state.epoch == PLANNED and seconds == 40 and trainer.step.scheduler.pace.speed == pytest.approx(1.0)
    alone = small_step(epochs=PLANNED)
    assert rates == pytest.approx([alone.scheduler.curve.value(i + 1) for i in range(len(rates))])


@pytest.mark.parametrize("durations", [lambda epoch: 6.0, lambda epoch: 2.0 if epoch < 8 else 8.0, lambda epoch: 20.0 / epoch])
def test_a_slow_run_ends_in_time_at_the_lowest_rate(durations: Any) -> None:
    _, state, seconds, rates = run_with(durations, minutes=1.0)
    assert 0.85 * 60 <= seconds <= 60 + 4 and state.epoch < PLANNED and not state.stop
    assert rates[-1] < 0.1 * max(rates), "the cosine is near its end, also after a sudden slowdown"
    assert all(b <= a for a, b in zip(rates[4:], rates[5:]))


def test_there_are_never_fewer_iterations_than_needed() -> None:
    _, state, seconds, rates = run_with(lambda epoch: 60.0, minutes=1.0, fewest_iterations=13)
    assert state.step == 15, "five epochs of three batches"
    assert rates[-1] < 0.05 * max(rates)


def test_time_before_training_counts() -> None:
    assert run_with(lambda epoch: 6.0, minutes=1.0, spent=30.0)[1].epoch == 5


def test_a_resumed_run_has_the_time_that_is_left(tmp_path: Path) -> None:
    trainer = Trainer(small_step(epochs=PLANNED), SmallReader(), PLANNED)
    clock = Clock(lambda epoch: 6.0)

    class Stop(Callback):
        def after_epoch(self, run: Any) -> None:
            if run.state.epoch == 4:
                run.state.stop = "interrupted for the test"

    trainer.callbacks = [Ticking(clock), TimeBudget(1.0, clock=clock), Stop()]
    state = trainer.train()
    rate = trainer.step.learning_rate
    assert state.epoch == 4 and state.budget["seconds"] == pytest.approx(24)
    save_checkpoint(tmp_path, "4", trainer.step, state)
    step = small_step(epochs=PLANNED)
    loaded = load_checkpoint(str(tmp_path / "4"), step)
    _, state, seconds, rates = run_with(lambda epoch: 6.0, 1.0, loaded, step)
    assert state.epoch == 10 and seconds == 36
    assert rate > rates[0] > rates[-1] and rates[-1] < 0.02 * max(rates)


def test_states_without_a_budget_still_load(tmp_path: Path) -> None:
    TrainingState(epoch=3, step=9).save(tmp_path / "a.pdstates")
    assert TrainingState.load(tmp_path / "a.pdstates").budget == {}


@pytest.mark.parametrize("section", [0, -1, True, "10", {"minutes": 0}, {"minute": 3}, {"minutes": 1, "fewest_iterations": -1}])
def test_wrong_settings_are_named(section: Any) -> None:
    with pytest.raises(ConfigError, match="time_budget"):
        TimeBudget.from_config(section)
