"""FairMOT as a task: what its configs may say, sequences to MOTA and IDF1, training to tracks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.mot_clip import write_fairmot_config, write_mot_data
from support.planted_fairmot import HALF_WH, crossing, red_x, write_fairmot

from ppdet.core.config.load import load_config
from ppdet.data.sources import MOTImageFolder
from ppdet.engine.assembly import Assembly
from ppdet.engine.components import import_components
from ppdet.engine.configs.check import check_config
from ppdet.engine.evaluation.evaluator import Evaluator, evaluate
from ppdet.engine.tasks.exported_model import ExportedModel
from ppdet.engine.tasks.table import task_of_kind
from ppdet.engine.tasks.tracking import follow_sequence
from ppdet.image.io import write_image
from ppdet.inference.estimators.tracking_network import TrackingNetwork
from ppdet.metrics.tracking.mot import MOTMetric

FRAMES = 20


def crossing_sequence(folder: Path) -> Path:
    """A MOTChallenge sequence of the two people who cross."""
    (folder / "cross" / "img1").mkdir(parents=True)
    (folder / "cross" / "gt").mkdir()
    rows = []
    for frame in range(FRAMES):
        write_image(folder / "cross" / "img1" / f"{frame + 1:06d}.png", crossing(frame))
        for identity, x in ((1, red_x(frame)), (2, 127 - red_x(frame))):
            corner = f"{x + 0.5 - HALF_WH[0]},{48.5 - HALF_WH[1]},{2 * HALF_WH[0]},{2 * HALF_WH[1]}"
            rows.append(f"{frame + 1},{identity},{corner},1,1,1\n")
    (folder / "cross" / "gt" / "gt.txt").write_text("".join(rows))
    return folder


def problems(path: Path, *options: str) -> list[str]:
    return [problem.message for problem in check_config(load_config(path, list(options)), import_components())]


def test_configs(tmp_path: Path) -> None:
    path = write_fairmot_config(tmp_path, tmp_path)
    assert problems(path) == []
    (wrong,) = problems(path, "JDETracker.conf_thres=1.5")
    assert "JDETracker.conf_thres is 1.5" in wrong
    (wrong,) = problems(path, "JDETracker.conf_thresh=0.5")
    assert "unknown key" in wrong
    size = "TrainReader.sample_transforms.1.LetterBoxResize.target_size=[580,1088]"
    assert "multiples of 32, such as [576, 1088]" in problems(path, size)[0]
    assembly = Assembly(load_config(path))
    assert assembly.task.kind == "tracking" and assembly.task.input_wh(assembly) == (96, 64)


def test_a_sequence_with_a_crossing_is_followed_without_a_mistake(tmp_path: Path) -> None:
    pytest.importorskip("motmetrics")
    path = write_fairmot_config(tmp_path, tmp_path)
    data = crossing_sequence(tmp_path / "data")
    config = load_config(path, [f"EvalMOTDataset.dataset_dir={data}", "EvalMOTDataset.data_root=''"])
    model = ExportedModel(write_fairmot(tmp_path / "mot"), engine="onnxruntime")
    evaluator = Evaluator(Assembly(config), model)
    figures = evaluator.run()
    assert figures["MOTA"] == pytest.approx(1) and figures["IDF1"] == pytest.approx(1) and figures["IDs"] == 0
    assert "1 sequences" in evaluator.setting and "conf_thres 0.4" in evaluator.setting


def test_each_sequence_has_a_tracker_of_its_own_and_people_are_followed_across_broken_frames(tmp_path: Path) -> None:
    """PaddleDetection goes on with one tracker: identities and frame numbers carry over (T2)."""
    data = crossing_sequence(tmp_path / "data")
    (data / "cross" / "img1" / "000008.png").write_bytes(b"no image")
    model = ExportedModel(write_fairmot(tmp_path / "mot"), engine="onnxruntime")
    dataset, bad = MOTImageFolder(str(data)).parse(), []
    detector = TrackingNetwork(model.runtime, model.card)
    for _ in range(2):
        found = follow_sequence(detector, dataset, dataset.sequences[0], bad)
        assert found["frames"] == FRAMES and set(found["identity"].tolist()) == {1, 2}
        assert set(found["frame"].tolist()) == set(range(1, FRAMES + 1)) - {8}
    assert len(bad) == 2 and bad[0][0].endswith("000008.png")


def test_comparison_sees_other_looks(tmp_path: Path) -> None:
    model = ExportedModel(write_fairmot(tmp_path / "mot"), engine="onnxruntime")
    task = task_of_kind("tracking")
    found = task.predictions(model.runtime, model.card, [(crossing(2), np.zeros((0, 4)))], 1)
    same = task.compare(found, found)
    assert same.compared == 2 and same.unmatched == 0 and same.max_output == 0
    other = [type(each)(each.boxes_xyxy, each.scores, each.labels, each.looks[:, ::-1]) for each in found]
    assert task.compare(found, other).max_output == 1


@pytest.mark.slow
def test_a_short_training_is_exported_and_tracks_its_clip(tmp_path: Path) -> None:
    """Two people who cross in eight frames: learned by heart, exported, and followed without a switch."""
    pytest.importorskip("motmetrics")
    from ppdet.engine.export.exporter import export
    from ppdet.engine.training.run import train

    data = write_mot_data(tmp_path / "data", frames=8)
    path = write_fairmot_config(tmp_path, data, epochs=60, every=60, batch=4, lr=0.0015)
    train(load_config(path))
    config = load_config(path, [f"weights={tmp_path / 'out' / 'tiny' / 'model_final'}"])
    figures = evaluate(config, output_eval=tmp_path / "found")
    assert figures["MOTA"] > 0.9 and figures["IDF1"] > 0.9 and figures["IDs"] == 0
    assert len((tmp_path / "found" / "mot_results" / "clip.txt").read_text().splitlines()) >= 14
    folder = export(config, tmp_path / "inference", onnx=True)
    exported = evaluate(config, exported={"model_dir": folder, "engine": "onnxruntime"})
    assert exported["MOTA"] == pytest.approx(figures["MOTA"]) and exported["IDF1"] == pytest.approx(figures["IDF1"])
    assert MOTMetric.main in exported
