"""Text files of --save_txt, and VisualDL's images."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ppdet.core.errors import MediaError
from ppdet.engine.prediction.image_log import log_images
from ppdet.engine.prediction.text_results import write_text_results
from ppdet.image.io import write_image


def test_lines_of_boxes_and_people(tmp_path: Path) -> None:
    box = {"image_id": 3, "file_name": "a.jpg", "category_id": 1, "bbox": [1.0, 2.0, 3.5, 4.0], "score": 0.9}
    (tmp_path / "bbox.json").write_text(json.dumps([box, {**box, "score": 0.5}, {**box, "file_name": "a.png"}]))
    assert [path.name for path in write_text_results(tmp_path)] == ["a.txt", "a_png.txt"]
    assert (tmp_path / "a.txt").read_text() == "1 0.9 1.0 2.0 3.5 4.0\n1 0.5 1.0 2.0 3.5 4.0\n"
    (tmp_path / "bbox.json").unlink()
    person = {"image_id": 3, "file_name": "b.jpg", "keypoints": [1.0, 2.0, 0.5], "score": 0.25, "bbox": [0, 0, 1, 1]}
    (tmp_path / "keypoint.json").write_text(json.dumps([person]))
    write_text_results(tmp_path)
    assert (tmp_path / "b.txt").read_text() == "[3, 0.25, [1.0, 2.0, 0.5]]\n"


def test_nothing_predicted(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="neither keypoint.json nor bbox.json"):
        write_text_results(tmp_path)


def test_images_for_visualdl(tmp_path: Path) -> None:
    pytest.importorskip("visualdl")
    for name in ("in/a.png", "in/b.png", "out/a.png"):
        write_image(tmp_path / name, np.zeros((8, 8, 3), np.uint8))
    assert log_images([tmp_path / "in/a.png", tmp_path / "in/b.png"], tmp_path / "out", str(tmp_path / "vdl")) == 1
    assert list((tmp_path / "vdl").iterdir())
