"""A training that keeps the model of the smallest EPE, and logs every figure that was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.stick_training import stick_config

from ppdet.engine.training.callbacks import Evaluation
from ppdet.engine.training.log import read_log
from ppdet.engine.training.run import TrainingOptions, train
from ppdet.engine.training.state import TrainingState


def test_training_by_plain_names(tmp_path: Path) -> None:
    config = stick_config(tmp_path, "metric=[PCK@0.3, EPE, AP]", "best_metric=EPE", "epoch=3")
    vdl = tmp_path / "vdl"
    state = train(config, TrainingOptions(evaluate=True, vdl_log_dir=str(vdl)))
    folder = tmp_path / "out" / config.name
    lines = [line for line in read_log(folder / "train_log.jsonl") if line["kind"] == "eval"]
    assert len(lines) == 3 and all({"PCK@0.3", "EPE", "AP"} <= set(line) for line in lines)
    smallest = min(line["EPE"] for line in lines)
    assert state.metric == "EPE" and state.best == pytest.approx(smallest)
    assert lines[state.best_epoch - 1]["EPE"] == smallest
    assert (folder / "best_model.pdparams").is_file() and (folder / "keypoint_scores.json").is_file()
    assert (folder / "curves.png").stat().st_size > 10_000
    assert b"eval/EPE" in b"".join(file.read_bytes() for file in vdl.iterdir())


class _Run:
    """The part of a run that `Evaluation` needs, after one epoch."""

    epochs = 9

    def __init__(self, state: TrainingState) -> None:
        self.state = state
        self.step = type("Step", (), {"average": None, "model": type("Model", (), {"train": lambda self: None})()})()


def test_a_resumed_run_that_selects_by_another_figure_starts_anew() -> None:
    """An AP of .7 and an EPE of 7 pixels do not compare."""
    state = TrainingState(epoch=4, metric="AP", best=0.7, best_epoch=3, evaluations_since_best=5)
    evaluation = Evaluation(lambda: {"EPE": 7.0}, "EPE", higher_is_better=False)
    evaluation.after_epoch(_Run(state))  # type: ignore[arg-type]
    assert evaluation.is_best and state.best == 7.0 and state.best_epoch == 4 and state.evaluations_since_best == 0
