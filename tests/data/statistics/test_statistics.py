"""Statistics of a file whose numbers are known; sigmas that are found again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ppdet.commands.datasets.dataset import main

NAMES = ["head", "tail"]
SIGMAS = np.array([0.03, 0.08])


def write(folder: Path, name: str, seed: int, noise: float = 1.0, count: int = 400) -> Path:
    """Objects of area 10,000 in boxes of 200 x 100; the tail is hidden in every fourth, and unlabelled in every eighth."""
    rng = np.random.default_rng(seed)
    images = [{"id": n, "file_name": f"{n}.png", "width": 800, "height": 600} for n in range(1, count + 1)]
    annotations = []
    for number in range(1, count + 1):
        xy = np.array([[150.0, 150.0], [250.0, 150.0]]) + noise * rng.normal(0, 1, (2, 2)) * SIGMAS[:, None] * 100
        v = [2, 0 if number % 8 == 0 else 1 if number % 4 == 1 else 2]
        points = [value for (x, y), seen in zip(xy, v) for value in ((x, y, seen) if seen else (0, 0, 0))]
        annotations.append({"id": number, "image_id": number, "category_id": 1, "iscrowd": 0, "bbox": [100, 100, 200, 100],
                            "area": 10000, "keypoints": points})  # fmt: skip
    path = folder / name
    categories = [{"id": 1, "name": "mouse", "keypoints": NAMES}]
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return path


def test_numbers_and_page(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = write(tmp_path, "a.json", 0)
    assert main(["stats", str(path), "-o", str(tmp_path / "stats.json")]) == 0
    content = json.loads((tmp_path / "stats.json").read_text())
    assert content["objects"] == 400 and content["keypoints"]["tail"] == {"labelled": 0.875, "hidden": 0.25, "sigma": None}
    assert content["sizes"]["aspect (width / height)"]["50"] == 2
    assert content["sizes"]["share of the image's longer side"]["95"] == 0.25
    assert "head is left of tail" in content["one_sided"] and "no object was annotated twice" in content["sigma_source"]
    assert main(["stats", str(path), "-o", str(tmp_path / "stats.html")]) == 0
    page = (tmp_path / "stats.html").read_text()
    assert page.count("data:image/png") == 2 and "http" not in page
    assert "| tail | 87.5% | 25.0% | - |" in capsys.readouterr().out


def test_sigmas_are_found_again(tmp_path: Path) -> None:
    words = ["stats", str(write(tmp_path, "a.json", 1)), "--repeats", str(write(tmp_path, "b.json", 2))]
    assert main([*words, "-o", str(tmp_path / "stats.json")]) == 0
    content = json.loads((tmp_path / "stats.json").read_text())
    # sigma^2 = E[d^2 / s^2] over both axes: two independent normal axes give sqrt(2) x the one that was drawn
    found = [content["keypoints"][name]["sigma"] for name in NAMES]
    assert found == pytest.approx((SIGMAS * np.sqrt(2)).tolist(), rel=0.1)
    assert "400 objects" in content["sigma_source"]


def test_mistakes(tmp_path: Path) -> None:
    path = write(tmp_path, "a.json", 0)
    assert main(["stats", str(path), "-o", str(tmp_path / "stats.txt")]) == 2
    content = json.loads(path.read_text())
    for each in content["annotations"]:
        each["keypoints"] = [0] * 6
    path.write_text(json.dumps(content))
    assert main(["stats", str(path)]) == 2
