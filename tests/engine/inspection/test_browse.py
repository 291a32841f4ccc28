"""The page of a config's samples, and the decode error that it states."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from support.pose_parts import write_config, write_people

from ppdet.commands.datasets.dataset import main

TRAIN = """
TrainDataset:
  name: KeypointTopDownCocoDataset
  dataset_dir: {folder}
  image_dir: images
  anno_path: truth.json
TrainReader:
  sample_transforms:
    - RandomFlipHalfBodyTransform: {{scale: 0.25, rot: 30, num_joints_half_body: 8, prob_half_body: 0.0, upper_body_ids: []}}
    - TopDownAffine: {{}}
    - EncodeHeatmap: {{}}
  batch_transforms:
    - NormalizeImage: {{mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], is_scale: true}}
    - Permute: {{}}
  batch_size: 4
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    data = write_people(tmp_path / "data")
    return write_config(tmp_path, data, TRAIN.format(folder=data))


def mean_error(page: str) -> float:
    found = re.search(r"<td class=\"text\">mean</td><td>([0-9.]+)</td>", page)
    assert found is not None
    return float(found[1])


@pytest.mark.parametrize("part", ["train", "val"])
def test_page(part: str, config: Path, tmp_path: Path) -> None:
    out = tmp_path / "browse.html"
    assert main(["browse", "-c", str(config), "-o", str(out), "--count", "4", "--part", part, "--epochs", "2"]) == 0
    page = out.read_text()
    assert page.count("data:image/jpeg") == 4 and "http" not in page and "3.png" in page
    assert mean_error(page) < 0.05  # sub-pixel targets lose next to nothing


def test_rounded_targets_are_told_by_their_error(config: Path, tmp_path: Path) -> None:
    """A cell has four input pixels; rounded to whole cells, a point moves by 1.5 of them on average."""
    out = tmp_path / "browse.html"
    words = ["browse", "-c", str(config), "-o", str(out), "--count", "6", "--opt", "codec.target=rounded", "codec.decoder=argmax"]
    assert main(words) == 0
    assert 0.8 < mean_error(out.read_text()) < 2.2


def test_mistakes(config: Path, tmp_path: Path) -> None:
    words = ["browse", "-c", str(config), "-o", str(tmp_path / "b.html")]
    assert main([*words, "--count", "0"]) == 2
    for number in (1, 2, 3):
        (tmp_path / "data" / "images" / f"{number}.png").write_bytes(b"nothing")
    assert main(words) == 2
    assert not (tmp_path / "b.html").exists()
    assert json.loads((tmp_path / "data" / "truth.json").read_text())["images"]
