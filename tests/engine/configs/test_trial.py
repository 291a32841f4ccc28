"""What the config check finds by building the learning rate, the optimizer and the readers on trial."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from ppdet.core.config.load import load_config

LEAF = Path(__file__).resolve().parents[3] / "configs" / "keypoint" / "tiny_pose" / "tinypose_128x96.yml"
DECAY = "LearningRate.schedulers.PiecewiseDecay"


def problems(*options: str, trial: bool = True) -> list[str]:
    pytest.importorskip("paddle")
    from ppdet.engine.components import import_components
    from ppdet.engine.configs.check import check_config

    return [str(problem) for problem in check_config(load_config(LEAF, options), import_components(), trial=trial)]


@pytest.mark.parametrize(
    "option, expected",
    [
        ("LearningRate.base_lr=-0.1", "LearningRate: base_lr must be a positive number, got -0.1"),
        ("LearningRate.base_lr=.nan", "base_lr must be a positive number, got nan"),
        (f"{DECAY}.milestones=[410,380]", "PiecewiseDecay: milestones must rise, got [410.0, 380.0]"),
        (f"{DECAY}.milestones=[-5,380]", "PiecewiseDecay.milestones[0] is -5, expected a number from 0 on"),
        (f"{DECAY}.milestones=380", "PiecewiseDecay.milestones is 380, expected a list"),
        (f"{DECAY}.gamma=-1", "PiecewiseDecay.gamma is -1, expected a number from 0 on"),
        (f"{DECAY}.gamma=abc", "PiecewiseDecay.gamma is 'abc', expected a number"),
        ("LearningRate.schedulers.LinearWarmup.start_factor=-1", "LinearWarmup: start_factor is a part of base_lr"),
        ("LearningRate.schedulers=abc", "LearningRate: schedulers is 'abc'; expected a list"),
        ("OptimizerBuilder.optimizer.type=Adm", "optimizer.type is Adm; expected one of SGD, Momentum, Adam"),
        ("OptimizerBuilder.optimizer=Adam", "optimizer is 'Adam'; expected a mapping, such as {type: Adam}"),
        ("OptimizerBuilder.optimizer.weight_decay=abc", "optimizer.weight_decay must be a number, got 'abc'"),
        ("OptimizerBuilder.optimizer.param_groups=5", "OptimizerBuilder.optimizer.param_groups is 5, expected a list"),
        ("OptimizerBuilder.optimizer.param_groups=[{lr: 2}]", "param_groups[0].params is missing"),
        ("OptimizerBuilder.regularizer.factor=-1", "regularizer.factor must be a number >= 0, got -1"),
        ("TrainReader.sample_transforms.RandomFlipHalfBodyTransform.scale=-1", "scale is -1; expected a number from 0 on"),
        ("TrainReader.sample_transforms.RandomFlipHalfBodyTransform.upper_body_ids=[17]", "[0] is 17, expected a whole number"),
        ("TrainReader.sample_transforms.RandomFlipHalfBodyTransform.upper_body_ids=abc", "ids is 'abc', expected a list"),
        ("codec=null", "trainsize: no reader states it; give a `codec` section"),
    ],
)
def test_what_constructors_refuse(option: str, expected: str) -> None:
    (text,) = problems(option)
    assert expected in text and text.startswith(f"-o {option}: error: ")
    assert problems(option, trial=False) == [], "evaluation and export need none of these parts"


def test_an_argument_that_does_not_fit_names_its_class() -> None:
    (text,) = problems("TrainReader.batch_transforms=[NormalizeImage: {mean: abc}]")
    assert "NormalizeImage: an argument does not fit: ValueError" in text


def test_all_parts_at_once_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "ppdet"):
        found = problems("LearningRate.base_lr=0", "OptimizerBuilder.optimizer.type=X", f"{DECAY}.use_warmup=false")
    assert len(found) == 2 and not caplog.records
    assert len(problems("LearningRate.base_lr=0", "epoch=0")) == 1, "only a config that is sound otherwise is built"
