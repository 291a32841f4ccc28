"""Annotation files that pycocotools would score wrongly without a word, and agreement with what a dataset gives."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ppdet.core.errors import DataError
from ppdet.data.sources.coco_top_down import KeypointTopDownCocoDataset
from ppdet.metrics.coco_keypoint import KeyPointTopDownCOCOEval

SKELETON = {"name": "stick", "keypoints": ["top", "middle", "bottom"]}


def content(persons: int = 6) -> dict[str, Any]:
    """One image of 100 x 90 for each two persons."""
    annotations = []
    for number in range(persons):
        left = 40 * (number % 2)
        points = np.array([[10 + left, 10, 2], [20 + left, 40, 2], [15 + left, 80, 1]])
        annotations.append(
            {"id": number + 1, "image_id": number // 2, "category_id": 1, "bbox": [5 + left, 5, 30, 80], "area": 1300.0,
             "iscrowd": 0, "keypoints": points.reshape(-1).tolist()}
        )  # fmt: skip
    images = [{"id": i, "file_name": f"{i}.png", "width": 100, "height": 90} for i in range((persons + 1) // 2)]
    return {"images": images, "categories": [{"id": 1, "name": "x", "keypoints": ["a"] * 3}], "annotations": annotations}


def perfect_ap(folder: Path, data: dict[str, Any]) -> KeyPointTopDownCOCOEval:
    """The metric after every person that the dataset gives was predicted exactly."""
    (folder / "truth.json").write_text(json.dumps(data))
    for image in data["images"]:
        cv2.imwrite(str(folder / image["file_name"]), np.zeros((90, 100, 3), np.uint8))
    dataset = KeypointTopDownCocoDataset(str(folder), "", "truth.json", 3, [96, 128])
    samples = [dataset.describe(i) for i in range(len(dataset))]
    metric = KeyPointTopDownCOCOEval(folder / "truth.json", skeleton=SKELETON)
    metric.update(
        {
            "image_id": np.array([s.image_id for s in samples]),
            "keypoints": np.array([np.column_stack([s.xy_image, np.ones(3)]) for s in samples]),
            "box_score": np.ones(len(samples)),
            "area": np.full(len(samples), 2700.0),
        }
    )
    metric.compute()
    return metric


def test_repeated_and_missing_ids_are_numbered_anew_and_told(tmp_path: Path) -> None:
    data = content()
    for annotation in data["annotations"][:4]:
        annotation["id"] = 0
    metric = perfect_ap(tmp_path, data)
    assert metric.stats["AP"] == pytest.approx(1.0)
    assert "4 object(s) that share their `id`" in metric.report()
    for annotation in data["annotations"]:
        del annotation["id"]
    metric = perfect_ap(tmp_path, data)
    assert metric.stats["AP"] == pytest.approx(1.0) and "6 object(s) without `id`" in metric.report()
    for number, annotation in enumerate(data["annotations"]):  # pycocotools takes a match with id 0 for none
        annotation["id"] = number
    metric = perfect_ap(tmp_path, data)
    assert metric.stats["AP"] == pytest.approx(1.0) and metric.ground_truth.notes == []


@pytest.mark.parametrize(
    "key, value, told",
    [
        ("area", 0, "with area 0: ignored"),
        ("area", "big", "with an `area` that is not a finite number: ignored"),
        ("bbox", [5, 5, 0, 80], "without extent or outside its image: ignored"),
        ("bbox", [500, 5, 30, 80], "without extent or outside its image: ignored"),
        ("bbox", [5, 5, None, 80], "not four finite numbers: ignored"),
        ("bbox", [5, 5, 30], "not four finite numbers: ignored"),
        ("keypoints", [1, 1, 2] * 4, "with 4 keypoints instead of 3: ignored"),
        ("keypoints", [float("nan"), 1, 2] * 3, "with keypoints that are not finite numbers: ignored"),
        ("keypoints", [0] * 9, None),
        ("iscrowd", 1, None),
        ("area", None, "0.53 x box area"),
        ("bbox", None, "extent of their keypoints"),
        ("category_id", None, None),
    ],
)
def test_what_the_dataset_leaves_out_is_not_missed(tmp_path: Path, key: str, value: Any, told: str | None) -> None:
    data = content()
    for number in (0, 3):
        data["annotations"][number][key] = copy.deepcopy(value)
        if value is None:
            del data["annotations"][number][key]
    metric = perfect_ap(tmp_path, data)
    assert metric.stats["AP"] == pytest.approx(1.0) and metric.stats["AR"] == pytest.approx(1.0)
    if told is None:
        assert metric.ground_truth.notes == []
    else:
        assert f"2 object(s) {told[:4]}" in metric.report() or told in metric.report()
        assert told in metric.report()


def test_a_prediction_on_an_ignored_person_is_no_false_alarm(tmp_path: Path) -> None:
    data = content()
    data["annotations"][0]["area"] = 0
    metric = perfect_ap(tmp_path, data)
    points = np.array(content()["annotations"][0]["keypoints"], float).reshape(1, 3, 3)
    points[..., 2] = 2.0  # scored above all others
    metric.update({"image_id": np.array([0]), "keypoints": points, "box_score": np.ones(1), "area": np.full(1, 2700.0)})
    assert metric.compute()["AP"] == pytest.approx(1.0)


def test_only_a_file_of_nothing_but_other_skeletons_is_refused(tmp_path: Path) -> None:
    data = content()
    for annotation in data["annotations"]:
        annotation["keypoints"] = [1, 1, 2] * 4
    (tmp_path / "truth.json").write_text(json.dumps(data))
    with pytest.raises(DataError, match="annotation 1 has 12 keypoint values, expected 3 x 3"):
        KeyPointTopDownCOCOEval(tmp_path / "truth.json", skeleton=SKELETON)


def test_annotations_without_image_are_left_out(tmp_path: Path) -> None:
    data = content()
    data["annotations"].append({"id": 9, "keypoints": [1, 1, 2] * 3, "bbox": [1, 1, 5, 5]})
    metric = perfect_ap(tmp_path, data)
    assert metric.stats["AP"] == pytest.approx(1.0) and "1 object(s) without image_id" in metric.report()
