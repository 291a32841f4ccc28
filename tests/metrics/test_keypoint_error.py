"""EPE against distances worked out by hand, and the source of the sigmas beside every AP."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ppdet.metrics.keypoint_error import KeyPointTopDownErrorEval

SKELETON = {"name": "stick", "keypoints": ["top", "bottom"]}


def metric(folder: Path, skeleton: object = SKELETON) -> KeyPointTopDownErrorEval:
    def entry(number: int, points: list[float]) -> dict[str, object]:
        return {"id": number, "image_id": number, "category_id": 1, "iscrowd": 0, "bbox": [0, 0, 100, 100], "area": 5000, "keypoints": points}

    content = {
        "images": [{"id": i, "file_name": f"{i}.png", "width": 100, "height": 100} for i in (1, 2)],
        "categories": [{"id": 1, "name": "stick", "keypoints": ["top", "bottom"]}],
        "annotations": [entry(1, [10, 10, 2, 50, 50, 1]), entry(2, [20, 20, 2, 0, 0, 0])],
    }
    (folder / "a.json").write_text(json.dumps(content))
    return KeyPointTopDownErrorEval(folder / "a.json", skeleton=skeleton)  # type: ignore[arg-type]


def predictions(*xy: list[list[float]]) -> dict[str, np.ndarray]:
    points = np.concatenate([np.array(xy, float), np.ones((len(xy), 2, 1))], axis=2)
    return {"image_id": np.arange(1, len(xy) + 1), "keypoints": points, "box_score": np.ones(len(xy)), "area": np.full(len(xy), 1e4)}


def test_mean_and_median_of_labelled_keypoints(tmp_path: Path) -> None:
    scored = metric(tmp_path)
    scored.update(predictions([[13, 14], [50, 62]], [[20, 21], [99, 99]]))  # 5, 12; 1, not labelled
    figures = scored.compute()
    assert figures["EPE"] == pytest.approx(6.0) and figures["median"] == pytest.approx(5.0)
    assert figures["PCK@0.1"] == pytest.approx(2 / 3), "12 pixels are more than a tenth of the box"
    assert 0 < figures["AP"] < 1 and not scored.higher_is_better
    report = scored.report()
    assert "| bottom | 1 | 12.00 | 12.00 |" in report and "the default 0.0644 for every keypoint" in report


def test_nothing_found_is_no_good_result(tmp_path: Path) -> None:
    assert metric(tmp_path).score([])["EPE"] == float("inf")


def test_the_source_of_the_sigmas_is_said(tmp_path: Path) -> None:
    stated = {"name": "s", "keypoints": [{"name": "top", "sigma": 0.05}, "bottom"]}
    assert "those stated in skeleton s, the default 0.0644 for 1 of 2" in metric(tmp_path, stated).notes()[0]
    assert "measured twice" in metric(tmp_path, {**SKELETON, "sigma_source": "measured twice"}).notes()[0]
