"""The box metric against the figures published with the cocoapi."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.shared_data import shared

from ppdet.core.errors import ConfigError, DataError
from ppdet.metrics.coco_box import COCOMetric


def published(section: str) -> list[float]:
    text = shared("data", "metrics", "coco_val2014_100", "val2014_fake_eval_res.txt").read_text()
    lines = text.split(f"type={section}")[1].split("-----")[0].splitlines()
    return [float(line.rsplit("=", 1)[1]) for line in lines if "Average" in line]


def test_twelve_figures_are_the_published_ones() -> None:
    metric = COCOMetric(shared("data", "metrics", "coco_val2014_100", "instances_val2014_100.json"))
    path = shared("data", "metrics", "coco_val2014_100", "instances_val2014_fakebbox100_results.json")
    entries = json.loads(path.read_text())
    classes = {category: label for label, category in metric.categories.items()}
    xywh = np.array([e["bbox"] for e in entries])
    image_id = np.array([e["image_id"] for e in entries])
    metric.update(
        {
            "evaluated": np.unique(image_id),
            "image_id": image_id,
            "boxes": np.column_stack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]]),
            "scores": np.array([e["score"] for e in entries]),
            "labels": np.array([classes[e["category_id"]] for e in entries]),
        }
    )
    expected = published("bbox")
    assert len(expected) == 12
    assert [round(value, 3) for value in metric.compute().values()] == expected
    assert "| 0.505 | 0.697 | 0.573 |" in metric.report()


def write_truth(folder: Path, *names: str) -> Path:
    data = {
        "images": [{"id": 1}, {"id": 2}],
        "categories": [{"id": 10 * (i + 1), "name": name} for i, name in enumerate(names)],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 10, "bbox": [10, 10, 40, 80]}],
    }
    path = folder / "truth.json"
    path.write_text(json.dumps(data))
    return path


def detections(image_id: int, *rows: tuple[float, int]) -> dict[str, np.ndarray]:
    """(score, label) rows, all at the annotated place."""
    return {
        "evaluated": np.array([image_id]),
        "image_id": np.full(len(rows), image_id),
        "boxes": np.tile([10.0, 10, 50, 90], (len(rows), 1)),
        "scores": np.array([score for score, _ in rows]),
        "labels": np.array([label for _, label in rows]),
    }


def test_an_image_counts_once_and_ranks_merge(tmp_path: Path) -> None:
    first, second = (COCOMetric(write_truth(tmp_path, "person"), label_list=["pedestrian"]) for _ in range(2))
    first.update(detections(1, (0.9, 0)))
    first.update(detections(1, (0.9, 0)))
    second.update(detections(1, (0.9, 0)))
    second.update(detections(2))
    first.merge([second.state()])
    assert len(first.results()) == 1
    assert first.compute()["AP"] == pytest.approx(1.0)
    assert "without area" in first.report()


def test_classes_meet_categories_by_name_and_others_are_left_out(tmp_path: Path) -> None:
    metric = COCOMetric(write_truth(tmp_path, "dog", "person"), label_list=["Person", "car", "dog"])
    assert metric.categories == {0: 20, 2: 10}
    metric.update(detections(1, (0.9, 1), (0.8, 2)))
    assert [entry["category_id"] for entry in metric.results()] == [10]
    assert COCOMetric(write_truth(tmp_path, "person", "dog"), label_list=["pedestrian"]).categories == {0: 10}
    assert COCOMetric(write_truth(tmp_path, "person"), clsid2catid={3: 10}).categories == {3: 10}


def test_files_and_mistakes(tmp_path: Path) -> None:
    path = write_truth(tmp_path, "person")
    metric = COCOMetric(path, output_eval=tmp_path / "out", save_prediction_only=True)
    metric.update(detections(1, (0.9, 0)))
    assert metric.compute() == {}
    (entry,) = json.loads((tmp_path / "out" / "bbox.json").read_text())
    assert entry == {"image_id": 1, "category_id": 10, "bbox": [10, 10, 40, 80], "score": 0.9}
    with pytest.raises(ConfigError, match="no class of the detector"):
        COCOMetric(path, label_list=["car", "dog"])
    with pytest.raises(ConfigError, match="'segm'"):
        COCOMetric(path, IouType="segm")
    with pytest.raises(DataError, match="image ids \\[5\\]"):
        metric.update(detections(5, (0.9, 0)))


def test_classwise_gives_the_ap_of_each_category(tmp_path: Path) -> None:
    metric = COCOMetric(write_truth(tmp_path, "person", "dog"), label_list=["person", "dog"], classwise=True)
    metric.update(detections(1, (0.9, 0), (0.8, 1)))
    metric.compute()
    assert metric.class_ap == {"person": pytest.approx(1.0), "dog": -1.0}
    assert "| person | 1.000 |\n| dog | - |" in metric.report()
