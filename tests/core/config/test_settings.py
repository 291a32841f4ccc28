"""Kinds and ranges of top-level settings."""

from __future__ import annotations

import pytest

from ppdet.core.config.known_keys import KNOWN_KEYS
from ppdet.core.config.nodes import ConfigDict
from ppdet.core.config.settings import READER_SETTINGS, RUN_SETTINGS, check_settings
from ppdet.core.problem import Mark


@pytest.mark.parametrize(
    "key, value, expected",
    [
        ("epoch", "abc", "epoch expects a whole number, not 'abc'"),
        ("epoch", 0, "epoch expects a whole number from 1 on, not 0"),
        ("epoch", True, "epoch expects a whole number, not True"),
        ("log_iter", 0, "log_iter expects a whole number from 1 on, not 0"),
        ("snapshot_epoch", -1, "snapshot_epoch expects a whole number from 1 on, not -1"),
        ("worker_num", "abc", "worker_num expects a whole number, not 'abc'"),
        ("worker_num", -1, "worker_num expects a whole number from 0 on, not -1"),
        ("use_gpu", "maybe", "use_gpu expects true or false, not 'maybe'"),
        ("save_dir", 3, "save_dir expects a text, not 3"),
        ("weights", 3, "weights expects a text or null, not 3"),
        ("seed", 1.5, "seed expects a whole number or null, not 1.5"),
    ],
)
def test_wrong_values(key, value, expected):
    config = ConfigDict()
    config[key] = value
    config.key_marks[key] = Mark("x.yml", 7)
    (problem,) = check_settings(config)
    assert (problem.message, problem.mark) == (expected, Mark("x.yml", 7))


def test_right_values_and_other_keys_pass():
    good = {"epoch": 1, "worker_num": 0, "use_gpu": 1, "seed": None, "weights": None, "pretrain_weights": False, "mine": "?"}
    assert check_settings(good) == []
    assert [p.message for p in check_settings({"batch_size": -2}, READER_SETTINGS, "TrainReader.")] == [
        "TrainReader.batch_size expects a whole number from 1 on, not -2"
    ]


def test_every_setting_is_a_known_key():
    assert set(RUN_SETTINGS) <= KNOWN_KEYS
