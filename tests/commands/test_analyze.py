"""`ppdet analyze` on a result file, with and without a config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.pose_parts import write_config, write_people

from ppdet.commands.training.analyze import main
from ppdet.inference.model_card import ModelCard


def write_results(data: Path, folder: Path) -> Path:
    """The labels as predictions, some left and right exchanged, one person missing, confidences too high."""
    rng = np.random.default_rng(0)
    entries: list[dict[str, Any]] = []
    for annotation in json.loads((data / "truth.json").read_text())["annotations"][1:]:
        points = np.array(annotation["keypoints"], float).reshape(-1, 3)
        points[:, :2] += rng.normal(0, 1, (3, 2))
        if annotation["id"] % 3 == 0:
            points = points[[0, 2, 1]]
        points[:, 2] = rng.uniform(0.7, 1.0, 3)
        flat = points.reshape(-1).tolist()
        entries.append({"image_id": annotation["image_id"], "category_id": 1, "keypoints": flat, "score": 0.9})
    path = folder / "keypoints_results.json"
    path.write_text(json.dumps(entries))
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_people(tmp_path / "data", images=12)


def test_a_result_file_without_a_config(data: Path, tmp_path: Path) -> None:
    results = write_results(data, tmp_path)
    words = [str(results), "--annotations", str(data / "truth.json"), "--image_dir", str(data / "images")]
    assert main([*words, "--output", str(tmp_path / "out"), "--worst", "5"]) == 0
    content = json.loads((tmp_path / "out" / "analysis.json").read_text())
    assert content["kinds"]["detector miss"] == 3 and content["kinds"]["inversion"] == 16 and content["objects"] == 24
    assert content["confusions"][0]["count"] == 8 and content["AP_if_corrected"]["inversion"] > content["AP"] + 0.2
    page = (tmp_path / "out" / "analysis.html").read_text()
    assert page.count("data:image/jpeg") == 5 and page.count("data:image/png") == 2 and "http" not in page


def test_a_config_a_detector_and_a_card(data: Path, tmp_path: Path) -> None:
    config, results = write_config(tmp_path, data), write_results(data, tmp_path)
    boxes = [
        {"image_id": each["image_id"], "category_id": 1, "bbox": each["bbox"], "score": 0.8}
        for each in json.loads((data / "truth.json").read_text())["annotations"][::2]
    ]
    (tmp_path / "bbox.json").write_text(json.dumps(boxes))
    ModelCard(arch="HRNet", preprocess=[{"type": "TopDownEvalAffine", "trainsize": [48, 64]}]).write(tmp_path / "model")
    words = [str(results), "-c", str(config), "--output", str(tmp_path / "out"), "--detections", str(tmp_path / "bbox.json")]
    assert main([*words, "--store", str(tmp_path / "model")]) == 0
    content = json.loads((tmp_path / "out" / "analysis.json").read_text())
    assert content["boxes"] == {"count": 12, "recall@.5": 0.5, "recall@.75": 0.5}
    stored = ModelCard.load(tmp_path / "model").extra["score_calibration"]
    assert stored == content["calibration"]["proposed"] and stored["temperature"] > 0


@pytest.mark.parametrize("words", [[], ["results.json"], ["-o", "weights=x"], ["results.json", "--annotations", "nowhere.json"]])
def test_mistakes(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert capsys.readouterr().err.startswith("error: ") and not list(tmp_path.iterdir())
