"""What cannot work is said before images are loaded, and stopping early is orderly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support.shared_data import shared
from support.train_parts import small_step
from support.train_real_parts import write_config

from ppdet.core.config.load import load_config
from ppdet.core.errors import ConfigError, DataError
from ppdet.engine.evaluation.evaluator import evaluate
from ppdet.engine.training.run import TrainingOptions, train

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def no_images(monkeypatch):
    from ppdet.data.loading.image_store import ImageStore

    def load(*args, **kwargs):
        raise AssertionError("images are loaded")

    monkeypatch.setattr(ImageStore, "preload", load)
    monkeypatch.setattr(ImageStore, "get", load)


@pytest.mark.parametrize("option, error, expected", [
    ("epoch=0", ConfigError, "epoch expects a whole number from 1 on"),
    ("save_dir={file}", ConfigError, "save_dir: .*file is a file"),
    ("EvalDataset.anno_path=none.json", DataError, "none.json"),
])  # fmt: skip
def test_training_is_refused_before_images_are_read(tmp_path, no_images, option, error, expected):
    (tmp_path / "file").write_text("")
    config = load_config(write_config(tmp_path, 2), [option.format(file=tmp_path / "file")])
    with pytest.raises(error, match=expected):
        train(config, TrainingOptions(evaluate=True))


@pytest.mark.parametrize("name, ending", [("EPEE", "it gives AP, .*AR_large$"), ("EPE", r"metric: \[EPE, \.\.\.\] gives it$")])
def test_a_best_metric_that_the_metric_does_not_give(tmp_path, name, ending):
    config = load_config(write_config(tmp_path, 2), ["metric=KeyPointTopDownCOCOEval", f"best_metric={name}"])
    with pytest.raises(ConfigError, match=f"gives no '{name}'.*{ending}"):
        train(config, TrainingOptions(evaluate=True))


def test_evaluation_is_refused_before_images_are_read(tmp_path, no_images):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="output_eval: .*file is a file"):
        evaluate(load_config(write_config(tmp_path, 2)), tmp_path / "file")


def test_pixels_as_they_were_decoded():
    batch = {"image": np.zeros((2, 8, 8, 3), np.uint8), "target": np.zeros((2, 2, 8, 8), np.float32)}
    with pytest.raises(ConfigError, match=r"training batch are uint8 \(2, 8, 8, 3\); .* add NormalizeImage and Permute"):
        small_step()(batch)


@pytest.mark.slow
def test_sigterm_while_batch_norms_are_measured(tmp_path):
    path = write_config(tmp_path, 8, extra=f"pretrain_weights: {shared('data', 'weights', 'tinypose_128x96.pdparams')}")
    log = tmp_path / "log"
    with open(log, "w") as out:
        command = [sys.executable, "tools/train.py", "-c", str(path), "-o", "TrainReader.batch_size=1"]
        with subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT) as process:
            deadline = time.monotonic() + 120
            while "measured 1 of" not in log.read_text() and time.monotonic() < deadline:
                time.sleep(0.05)
            os.kill(process.pid, signal.SIGTERM)
            assert process.wait(timeout=300) == 143
    assert log.read_text().endswith("terminated (SIGTERM)\n") and "FatalError" not in log.read_text()
