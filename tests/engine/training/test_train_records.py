"""What a run leaves behind for people: log lines, history, curves, VisualDL, folders."""

from __future__ import annotations

import json
import logging
import re
from types import SimpleNamespace

import cv2
import numpy as np
import paddle
import pytest
from support.train_parts import SmallReader, small_step

from ppdet.core.errors import ConfigError
from ppdet.engine.device import choose_device, remove_paddle_log_handler, set_cpu_threads
from ppdet.engine.precision import Precision
from ppdet.engine.training.callbacks import Callback, EarlyStop, Evaluation, LossWatch
from ppdet.engine.training.curves import draw_curves
from ppdet.engine.training.folder import RunFolder
from ppdet.engine.training.log import TrainingLog, VisualDLLog, read_log
from ppdet.engine.training.progress import Progress
from ppdet.engine.training.state import TrainingState
from ppdet.engine.training.trainer import Trainer

# What PaddleDetection's users' scripts look for.
LINE = re.compile(
    r"Epoch: \[(\d+)\] \[ *(\d+)/(\d+)\] learning_rate: ([\d.]+) loss: ([\d.]+) eta: (\d+ days?, )?\d+:\d\d:\d\d "
    r"batch_cost: [\d.]+ data_cost: [\d.]+ ips: [\d.]+ images/s$"
)


def test_progress_lines(caplog):
    with caplog.at_level(logging.INFO):
        Trainer(small_step(), SmallReader(), 2, [Progress(2)]).train()
    lines = [LINE.match(record.getMessage()) for record in caplog.records if "Epoch:" in record.getMessage()]
    assert all(lines) and [(m[1], m[2], m[3]) for m in lines] == [
        ("0", "0", "3"),
        ("0", "2", "3"),
        ("1", "0", "3"),
        ("1", "2", "3"),
    ]
    assert float(lines[0][4]) == pytest.approx(0.01 / 3, abs=1e-6)  # the rate of the first iteration


def test_a_loss_that_runs_away_is_told_once(caplog):
    watch, run = LossWatch(), SimpleNamespace(state=SimpleNamespace(step=7))
    with caplog.at_level(logging.WARNING):
        for loss in [0.5, 0.4, 0.6, 0.5, 0.5, 300.0, 0.5, 5.8e22, 1e23]:
            watch.after_step(run, {"loss": loss}, None)
    (record,) = caplog.records
    assert "the loss is 5.8e+22 at iteration 7, usually 0.5" in record.getMessage()


def test_of_equal_evaluations_the_later_is_best_and_early_stopping_counts_on():
    evaluation = Evaluation(lambda: {"AP": next(figures)}, "AP")
    stop = EarlyStop(3)
    figures, kept = iter([0.0, 0.0, float("nan"), 0.0]), []

    class Keep(Callback):
        def after_epoch(self, run):
            kept.append((evaluation.is_best, run.state.best_epoch))

    state = Trainer(small_step(), SmallReader(), 9, [evaluation, Keep(), stop]).train()
    assert kept == [(True, 1), (True, 2), (False, 2), (True, 4)] and state.stop and state.best == 0.0


def test_history_and_curves(tmp_path):
    figures = iter([{"AP": 0.1}, {"AP": 0.3}])
    evaluation = Evaluation(lambda: next(figures), main="AP")
    Trainer(small_step(), SmallReader(), 2, [evaluation, TrainingLog(tmp_path, 2, evaluation)]).train()
    lines = read_log(tmp_path / "train_log.jsonl")
    assert [(line["kind"], line["step"]) for line in lines] == [
        ("train", 2), ("train", 3), ("eval", 3), ("train", 4), ("train", 6), ("eval", 6),
    ]  # fmt: skip
    assert lines[0]["loss"] > 0 and lines[0]["images_per_s"] > 0 and lines[-1]["AP"] == 0.3
    image = cv2.imread(str(tmp_path / "curves.png"))
    assert image.shape[0] == 3 * 330 and len(np.unique(image.reshape(-1, 3), axis=0)) > 10


def test_a_resumed_history_drops_what_lies_ahead(tmp_path):
    for step in (2, 4, 6):
        with open(tmp_path / "train_log.jsonl", "a") as file:
            file.write(json.dumps({"kind": "train", "step": step, "loss": 1.0}) + "\n")
    run = Trainer(small_step(), SmallReader(), 2, state=TrainingState(epoch=1, step=4))
    TrainingLog(tmp_path).before_training(run)
    assert [line["step"] for line in read_log(tmp_path / "train_log.jsonl")] == [2, 4]


@pytest.mark.parametrize("losses", [[1.0], [1.0, 0.0], [3e-4, 2.9e-4], [1.0, 1e-6], [2.0, 2.0]])
def test_curves_of_odd_histories(tmp_path, losses):
    lines = [{"kind": "train", "step": i + 1, "loss": loss, "learning_rate": 0.1} for i, loss in enumerate(losses)]
    draw_curves(lines, tmp_path / "curves.png")
    assert cv2.imread(str(tmp_path / "curves.png")) is not None


def test_visualdl_writes_scalars(tmp_path):
    pytest.importorskip("visualdl")
    Trainer(small_step(), SmallReader(), 1, [VisualDLLog(str(tmp_path / "vdl"), 1)]).train()
    assert any((tmp_path / "vdl").iterdir())


def test_a_new_run_moves_the_old_one_aside(tmp_path):
    for _ in range(3):
        RunFolder(tmp_path / "run", {"command": "x"}).close("finished")
        (tmp_path / "run" / "0.pdparams").touch()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "run.1", "run.2"]
    RunFolder(tmp_path / "run", resume=True)
    assert (tmp_path / "run" / "0.pdparams").exists() and not (tmp_path / "run.3").exists()


def test_use_gpu_true_falls_back_to_cpu(caplog):
    if paddle.is_compiled_with_cuda():
        pytest.skip("there may be a GPU")
    with caplog.at_level(logging.INFO):
        assert choose_device({"use_gpu": True, "cpu_threads": 1}) == "cpu"
    assert "Device: cpu, 1 thread (this Paddle is for CPU)" in caplog.text


@pytest.mark.parametrize("count", [0, -1, True, 1.5])
def test_bad_cpu_threads(count):
    with pytest.raises(ConfigError, match="cpu_threads"):
        set_cpu_threads(count)


def test_only_paddles_handler_is_taken_from_the_root_logger():
    root = logging.getLogger()
    paddles, ours = logging.StreamHandler(), logging.StreamHandler()
    paddles.setFormatter(logging.Formatter("[%(asctime)-15s] [%(levelname)8s] %(filename)s:%(lineno)s - %(message)s"))
    root.addHandler(paddles)
    root.addHandler(ours)
    try:
        remove_paddle_log_handler()
        assert paddles not in root.handlers and ours in root.handlers
    finally:
        root.removeHandler(paddles)
        root.removeHandler(ours)


def test_mixed_precision_says_that_a_cpu_has_none(caplog):
    choose_device({"use_gpu": False, "cpu_threads": 1})
    with caplog.at_level(logging.WARNING):
        precision = Precision.from_config({"amp_level": "O2", "master_grad": True}, enabled=True)
    assert not precision.enabled and "--amp has no effect" in caplog.text
    with pytest.raises(ConfigError, match="amp_level"):
        Precision.from_config({"amp_level": "O3"}, enabled=False)


@pytest.mark.parametrize("section, patience", [({"patience": 4}, 4), (2, 2)])
def test_early_stop_from_a_config(section, patience):
    assert EarlyStop.from_config(section).patience == patience


@pytest.mark.parametrize("section", [{"patience": 0}, {"patients": 3}, "yes"])
def test_early_stop_mistakes(section):
    with pytest.raises(ConfigError, match="early_stop"):
        EarlyStop.from_config(section)
