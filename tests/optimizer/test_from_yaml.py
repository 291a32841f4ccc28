"""The optimizer's sections of a YAML, in the spellings that published configs use."""

from __future__ import annotations

import pytest

from ppdet.core.config.builder import Builder
from ppdet.core.config.load import load_config
from ppdet.core.errors import ConfigError
from ppdet.engine.components import import_components

TAGGED = """
LearningRate:
  base_lr: 5e-4
  schedulers:
    - !PiecewiseDecay
      milestones: [170, 200]
      gamma: 0.1
    - !LinearWarmup {start_factor: 0.001, steps: 1000}
OptimizerBuilder:
  optimizer: {type: Adam}
  regularizer: {factor: 0.0, type: L2}
"""
NAMED = """
LearningRate:
  base_lr: 0.32
  schedulers:
    - name: CosineDecay
      max_epochs: 300
    - name: LinearWarmup
      start_factor: 0.1
      steps: 300
OptimizerBuilder:
  optimizer: {momentum: 0.9, type: Momentum}
  regularizer: {factor: 0.00004, type: L2}
"""


def build(tmp_path, text, *overrides):
    import_components()
    path = tmp_path / "recipe.yml"
    path.write_text(text)
    builder = Builder(load_config(path, overrides))
    return builder.build("LearningRate").curve(100), builder.build("OptimizerBuilder")


def test_tags(tmp_path):
    curve, optimizer = build(tmp_path, TAGGED)
    assert curve.value(1000) == 5e-4 and curve.value(17000) == pytest.approx(5e-5)
    assert optimizer.regularizer == ("L2", 0.0)


def test_names(tmp_path):
    curve, optimizer = build(tmp_path, NAMED)
    assert curve.value(0) == pytest.approx(0.032) and curve.value(30000) < 1e-9
    assert optimizer.kind == "Momentum" and optimizer.regularizer == ("L2", 0.00004)


def test_no_regularizer_and_overrides_in_the_list(tmp_path):
    text = TAGGED.replace("{factor: 0.0, type: L2}", "None")
    curve, optimizer = build(tmp_path, text, "LearningRate.schedulers.1.steps=10", "LearningRate.schedulers.0.gamma=0.5")
    assert curve.warmup_steps == 10 and curve.value(20000) == pytest.approx(1.25e-4)
    assert optimizer.regularizer is None


def test_a_misspelt_argument_is_named(tmp_path):
    with pytest.raises(ConfigError, match="milestone"):
        build(tmp_path, TAGGED.replace("milestones:", "milestone:"))
