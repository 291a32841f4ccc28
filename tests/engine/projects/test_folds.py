"""Cross-validation: every image is validated once, the spread is that of the folds, and an interrupted run goes on."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest
from support.custom_projects import write_set

from ppdet.commands.training.train import main
from ppdet.core.config.load import Config, load_config
from ppdet.core.errors import ConfigError
from ppdet.engine.projects.folds import FoldsOptions, fold_table, train_folds
from ppdet.engine.projects.start import ProjectOptions, start_project
from ppdet.engine.training.log import LOG_FILE
from ppdet.engine.training.state import TrainingState
from ppdet.engine.weights.load import run_path

LAST, BEST = (5.0, 7.0, 12.0), (4.0, 7.0, 9.0)


class FakeTraining:
    """Writes the log that a training would, and notes which files it was given."""

    def __init__(self, stop_at: int = -1) -> None:
        self.calls: List[Dict[str, Any]] = []
        self.stop_at = stop_at

    def __call__(self, config: Config, resume: bool) -> TrainingState:
        number = int(str(run_path(config).parent.name).replace("fold", ""))
        train, val = config["TrainDataset"], config["EvalDataset"]
        train = train["datasets"][0] if "datasets" in train else train
        self.calls.append({"fold": number, "train": train["anno_path"], "val": val["anno_path"], "resume": resume})
        folder = run_path(config)
        folder.mkdir(parents=True, exist_ok=True)
        if number == self.stop_at:
            (folder / "0.pdstates").touch()
            return TrainingState(stop="interrupted by SIGINT")
        lines = [{"kind": "train", "epoch": 1, "step": 1, "loss": 1.0},
                 {"kind": "eval", "epoch": 1, "step": 1, "EPE": BEST[number], "AP": 0.5, "time": 1.0},
                 {"kind": "eval", "epoch": 2, "step": 2, "EPE": LAST[number], "AP": 0.6, "time": 2.0}]  # fmt: skip
        (folder / LOG_FILE).write_text("".join(json.dumps(line) + "\n" for line in lines))
        return TrainingState(epoch=2, metric="EPE", best=BEST[number], best_epoch=1)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    annotations, images = write_set(tmp_path, count=9)
    options = ProjectOptions(minutes=0.5, measure=False)
    return start_project(annotations, images, tmp_path / "project", options)[0]


def names_in(path: str) -> set[str]:
    return {image["file_name"] for image in json.loads(Path(path).read_text())["images"]}


def test_every_image_is_validated_once_by_a_model_that_has_not_seen_it(project: Path) -> None:
    training = FakeTraining()
    train_folds(project, [], FoldsOptions(3), training)
    parts = [(names_in(call["train"]), names_in(call["val"])) for call in training.calls]
    assert len(parts) == 3 and all(not train & val and len(train | val) == 9 for train, val in parts)
    assert sorted(name for _, val in parts for name in val) == sorted(parts[0][0] | parts[0][1])


def test_the_spread_is_that_of_the_folds(project: Path) -> None:
    record = train_folds(project, [], FoldsOptions(3), FakeTraining())
    for when, values in (("last", LAST), ("best", BEST)):
        epe = record["spread"][when]["EPE"]
        assert epe["mean"] == pytest.approx(np.mean(values)) and epe["sd"] == pytest.approx(np.std(values, ddof=1))
        assert (epe["lowest"], epe["highest"]) == (min(values), max(values))
    folder = project.parent / "runs" / "tool_1_folds"
    assert json.loads((folder / "folds.json").read_text())["spread"] == record["spread"]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in (folder / "folds.md").read_text().splitlines()]
    assert rows[0] == ["fold", "train", "val", "EPE (px)", "AP", "EPE (px), best epoch"]
    assert rows[2] == ["0", "6", "3", "5.000", "0.600", "4.000"]
    assert rows[5] == ["mean", "", "", "8.000", "0.600", "6.667"] and rows[6][3] == "3.606"
    assert fold_table(record) == (folder / "folds.md").read_text().strip()


def test_an_interrupted_run_keeps_its_folds_and_goes_on(project: Path) -> None:
    first = train_folds(project, [], FoldsOptions(3), FakeTraining(stop_at=1))
    assert first["stop"] and len(first["results"]) == 1
    again = FakeTraining()
    record = train_folds(project, [], FoldsOptions(3, resume=True), again)
    assert [(call["fold"], call["resume"]) for call in again.calls] == [(1, True), (2, False)]
    assert record["spread"]["last"]["EPE"]["mean"] == pytest.approx(np.mean(LAST)) and "stop" not in record
    with pytest.raises(ConfigError, match="seed 42, not 7"):
        train_folds(project, [], FoldsOptions(3, seed=7, resume=True), again)
    with pytest.raises(ConfigError, match="changes"):
        train_folds(project, ["epoch=3"], FoldsOptions(3, resume=True), again)


def test_neighbouring_frames_of_a_video_are_not_torn_apart(tmp_path: Path) -> None:
    annotations, images = write_set(tmp_path, count=24)
    content = json.loads(annotations.read_text())
    for image in content["images"]:
        new = f"frame_{image['id']:04d}.png"
        (images / image["file_name"]).rename(images / new)
        image["file_name"] = new
    annotations.write_text(json.dumps(content))
    (config,) = start_project(annotations, images, tmp_path / "project", ProjectOptions(minutes=0.5, measure=False))
    training = FakeTraining()
    train_folds(config, [], FoldsOptions(3), training)
    for call in training.calls:
        numbers = sorted(int(re.findall(r"\d+", name)[-1]) for name in names_in(call["val"]))
        assert len(numbers) == 8 and np.sum(np.diff(numbers) > 1) <= 1, "two blocks of consecutive frames"


def test_mistakes_are_named(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError, match="--folds 1: give 2 or more"):
        train_folds(project, [], FoldsOptions(1), FakeTraining())
    with pytest.raises(ConfigError, match="different folders"):
        train_folds(project, [f"EvalDataset.image_dir={tmp_path}"], FoldsOptions(3), FakeTraining())
    with pytest.raises(ConfigError, match="--folds 99: give 2 to 9"):
        train_folds(project, [], FoldsOptions(99), FakeTraining())
    assert main(["-c", str(project), "--folds", "3", "-r", "somewhere/3"]) == 2
    assert "give --resume alone" in capsys.readouterr().err


@pytest.mark.slow
def test_three_small_models_are_trained(project: Path) -> None:
    """About a minute: three trainings of two steps, as a user types them."""
    options = ["epoch=1", "codec.input_wh=[64, 64]", "TrainDataset.repeat=[1]", "use_gpu=false", "worker_num=0"]
    assert main(["-c", str(project), "--folds", "3", "-o", *options]) == 0
    folder = project.parent / "runs" / "tool_1_folds"
    record = json.loads((folder / "folds.json").read_text())
    values = [each["last"]["EPE"] for each in record["results"]]
    assert len(set(values)) == 3 and record["spread"]["last"]["EPE"]["mean"] == pytest.approx(np.mean(values))
    for each in record["results"]:
        assert Path(each["weights"]).is_file() and Path(each["weights"]).is_relative_to(folder)
        assert load_config(project).name in each["weights"]
    assert main(["-c", str(project), "--folds", "3", "-r", "-o", *options]) == 0, "finished folds are kept"
