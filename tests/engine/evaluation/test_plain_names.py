"""`metric: [EPE, PCK, AP]` from YAML to figures, and the best model by any of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.pose_parts import write_config, write_people

from ppdet.commands.training.eval import main
from ppdet.core.config.load import load_config
from ppdet.core.errors import ConfigError
from ppdet.engine.assembly import Assembly
from ppdet.engine.evaluation.mean_pose import evaluate_mean_pose
from ppdet.engine.training.curves import _evaluation_panels
from ppdet.engine.training.run import best_figure

TRAIN = """
TrainDataset:
  name: KeypointTopDownCocoDataset
  dataset_dir: {folder}
  image_dir: images
  anno_path: truth.json
"""


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    data = write_people(tmp_path / "data")
    return write_config(tmp_path, data, TRAIN.format(folder=data))


def test_names_in_yaml(config_file: Path) -> None:
    config = load_config(config_file, ["metric=[EPE, PCK@0.1, AP]", "KeypointScores.unit=[head, left_foot]"])
    figures = evaluate_mean_pose(config)
    assert list(figures) == ["EPE", "PCK@0.1", "AP"] and 0 < figures["EPE"] < 10
    assert list(evaluate_mean_pose(load_config(config_file, ["metric=NME"]))) == ["NME"]


def test_the_command(config_file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    words = ["-c", str(config_file), "--baseline", "mean_pose", "--output_eval", str(tmp_path / "out")]
    assert main([*words, "--metrics", "epe", "sdr", "-o", "KeypointScores.pixel_spacing=0.2"]) == 0
    content = json.loads((tmp_path / "out" / "keypoint_scores.json").read_text())
    assert set(content["figures"]) == {"EPE", "SDR@2mm", "SDR@2.5mm", "SDR@3mm", "SDR@4mm"}
    assert set(content["keypoints"]) == {"head", "left_foot", "right_foot"}
    assert main([*words, "--metrics", "EPR"]) == 2


def test_a_misspelt_name_is_found_by_the_check(config_file: Path) -> None:
    with pytest.raises(ConfigError, match="no metric 'PKC'. Names are PCK"):
        Assembly(load_config(config_file, ["metric=[EPE, PKC]"]))
    with pytest.raises(ConfigError, match="EPR"):
        Assembly(load_config(config_file, ["metric=EPR"]))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ("AP", True)),
        (["metric=[EPE, AP]"], ("EPE", False)),
        (["metric=[AP, EPE]"], ("AP", True)),
        (["metric=[AP, PCK]", "best_metric=nme"], ("NME", False)),
        (["best_metric=AR"], ("AR", True)),
    ],
)
def test_the_best_model_by_any_figure(config_file: Path, options: list[str], expected: tuple[str, bool]) -> None:
    config = load_config(config_file, options)
    metric = Assembly(config).metric()
    assert best_figure(config, metric) == expected


def test_a_figure_that_the_metric_does_not_give(config_file: Path) -> None:
    config = load_config(config_file, ["best_metric=EPE"])
    with pytest.raises(ConfigError, match="KeyPointTopDownCOCOEval gives no 'EPE'"):
        best_figure(config, Assembly(config).metric())


def test_curves_have_a_panel_per_unit() -> None:
    line = {"kind": "eval", "epoch": 1, "step": 9, "time": 1.0, "EPE": 3.0, "PCK@0.1": 0.5, "MRE": 1.0, "SDR@2mm": 0.9, "AP": 0.1}
    panels = dict(_evaluation_panels(line))
    assert panels == {"evaluation (px)": ["EPE"], "evaluation (mm)": ["MRE"], "evaluation": ["PCK@0.1", "SDR@2mm", "AP"]}
    detector = {"kind": "eval", "AP": 0.1, "AP50": 0.2, "AP_small": 0.1}
    assert _evaluation_panels(detector) == [("evaluation", ["AP", "AP50"])]
