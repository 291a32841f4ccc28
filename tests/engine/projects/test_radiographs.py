"""From radiographs to a config: DICOM is recognised, its spacing kept, its augmentation chosen."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ppdet.core.config.load import load_config
from ppdet.core.errors import ConfigError
from ppdet.data.planning.choice import Choice
from ppdet.data.planning.radiograph_plan import plan_quarter_turns, plan_radiographs, radiograph_box
from ppdet.engine.assembly import Assembly
from ppdet.engine.components import import_components
from ppdet.engine.configs.check import check_config
from ppdet.engine.projects.start import ProjectOptions, start_project
from ppdet.image.io import write_image
from ppdet.visualize.rendered_hands import write_hands


def test_dicom_hands(tmp_path: Path) -> None:
    pytest.importorskip("pydicom")
    annotations = write_hands(tmp_path, 6, size_wh=(120, 144), dicom=True)
    (config,) = start_project(annotations, tmp_path / "images", tmp_path / "project", ProjectOptions(minutes=0.5, measure=False))
    loaded = load_config(config, ["use_gpu=false", "worker_num=0", "TrainReader.batch_size=2"])
    assert not [str(problem) for problem in check_config(loaded, import_components(loaded)) if problem.severity == "error"]
    steps = [next(iter(step)) for step in loaded["TrainReader"]["sample_transforms"]]
    assert steps[-5:] == ["TopDownRandomQuarterTurn", "TopDownAffine", "CollimationBorder", "RadiographJitter", "EncodeHeatmap"]
    assert "ColorJitter" not in steps and loaded["EvalDataset"]["box"] == "image"
    assert {"MRE", "SDR"} <= set(loaded["metric"]) and "6 of 6 sampled images are DICOM" in config.read_text()
    spacing = json.loads((tmp_path / "project" / "annotations" / "hand_val.json").read_text())["images"][0]["pixel_spacing"]
    assert spacing[0] == pytest.approx(spacing[1]) and spacing[0] > 0.5
    batch = next(iter(Assembly(loaded).reader("Train")))
    images = np.asarray(batch["image"])
    assert images.shape[:2] == (2, 3) and np.isfinite(images).all()


def test_what_counts_as_a_radiograph(tmp_path: Path) -> None:
    write_hands(tmp_path, 2, size_wh=(120, 144))
    images = tmp_path / "images"
    deep = sorted(path.name for path in images.iterdir())
    write_image(images / "photo.png", np.zeros((8, 8, 3), np.uint8))
    assert plan_radiographs("auto", images, deep).value and plan_radiographs("xray", images, ["photo.png"]).value
    for preset, names in [("auto", ["photo.png"]), ("photo", deep), ("auto", ["missing.png"]), ("auto", [])]:
        assert not plan_radiographs(preset, images, names).value
    with pytest.raises(ConfigError, match="--preset ct"):
        plan_radiographs("ct", images, deep)


def test_whole_images_and_quarter_turns() -> None:
    given = Choice("given", "boxes")
    assert radiograph_box(given, np.array([1, 1])).value == "image" and radiograph_box(given, np.array([1, 2])) is given
    upright, any_way = np.zeros(20), np.tile([0.0, 90.0, 180.0, -90.0], 5)
    assert plan_quarter_turns(upright).value < plan_quarter_turns(any_way).value
