"""Boxes of a JSON file or a function in place of a detector."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.planted_models import PlantedRuntime, planted_person, pose_card

from ppdet.core.errors import ConfigError, DataError
from ppdet.image.io import write_image
from ppdet.inference import PosePipeline, TopDownEstimator
from ppdet.inference.estimators.detections import Detections
from ppdet.inference.files.given_boxes import FileBoxes
from ppdet.inference.model_opening import needs_persons, open_detector
from ppdet.skeletons import get_skeleton

POINTS = np.array([[30.0, 40], [60, 50], [45, 70]])
IMAGE = np.zeros((20, 30, 3), np.uint8)
ANNOTATIONS = {
    "images": [{"id": 1, "file_name": "a/x.png"}, {"id": 2, "file_name": "b/x.png"}, {"id": 3, "file_name": "lonely.png"}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 7, "bbox": [1, 2, 10, 8]},
        {"id": 2, "image_id": 1, "category_id": 9, "bbox": [5, 5, 5, 5]},
        {"id": 3, "image_id": 2, "category_id": 7, "bbox": [3, 3, 9, 9], "iscrowd": 0},
        {"id": 4, "image_id": 2, "category_id": 7, "bbox": [0, 0, 30, 20], "iscrowd": 1},
    ],
    "categories": [{"id": 9, "name": "dog"}, {"id": 7, "name": "person"}],
}


def boxes_of(tmp_path: Path, content: Any, *paths: str) -> list[Detections]:
    file = tmp_path / "boxes.json"
    file.write_text(json.dumps(content))
    return FileBoxes(file).detect([IMAGE] * len(paths), paths)


def test_annotated_people_by_file_name(tmp_path: Path) -> None:
    first, second, nobody = boxes_of(tmp_path, ANNOTATIONS, "/data/a/x.png", "b/x.png", "elsewhere/lonely.png")
    np.testing.assert_array_equal(first.boxes_xyxy, [[1, 2, 11, 10]])
    np.testing.assert_array_equal(second.boxes_xyxy, [[3, 3, 12, 12]])
    assert first.scores.tolist() == [1.0] and len(nobody) == 0
    with pytest.raises(DataError, match="several images called x.png"):
        boxes_of(tmp_path, ANNOTATIONS, "c/x.png")


def test_results_by_name_or_number(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    entry = {"category_id": 1, "bbox": [1, 2, 10, 8], "score": 0.4}
    content = [{"image_id": 139, **entry}, {"image_id": 5, "file_name": "x.png", **entry, "score": "0.9"},
               {"image_id": 5, "file_name": "x.png", **entry, "category_id": 3}]  # fmt: skip
    by_number, by_name = boxes_of(tmp_path, content, "val/000000000139.jpg", "x.png")
    assert by_number.scores.tolist() == pytest.approx([0.4]) and by_name.scores.tolist() == pytest.approx([0.9])
    with caplog.at_level(logging.WARNING, "ppdet"):
        assert [len(each) for each in boxes_of(tmp_path, content, "y.png", "z.png")] == [0, 0]
    assert [record.message for record in caplog.records if "has no boxes of" in record.message][0].count("y.png") == 1


@pytest.mark.parametrize("scores, told", [((0.2, 98), "from 0.2 to 98"), ((-3, 0.5), "from -3 to 0.5"), ((0, 1.0002), "")])
def test_scores_that_are_no_probabilities(
    scores: tuple[float, float], told: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = [{"file_name": "x.png", "category_id": 1, "bbox": [1, 2, 10, 8], "score": score} for score in scores]
    with caplog.at_level(logging.WARNING, "ppdet"):
        (found,) = boxes_of(tmp_path, content, "x.png")
    assert sorted(found.scores.tolist()) == pytest.approx(scores)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == bool(told) and all(f"the scores of its boxes range {told}, and the threshold" in line for line in lines)


def test_boxes_outside_of_the_image_are_left_out_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    content = [{"file_name": "x.png", "bbox": box, "score": 1} for box in ([-5, -5, 10, 10], [31, 5, 4, 4], [3, 3, 0, 5])]
    with caplog.at_level(logging.WARNING, "ppdet"):
        (found,) = boxes_of(tmp_path, content, "x.png")
    np.testing.assert_array_equal(found.boxes_xyxy, [[-5, -5, 5, 5]])  # given boxes are not clipped
    assert "2 of 3 boxes are empty or outside" in caplog.text


@pytest.mark.parametrize(("content", "message"), [
    ({"people": []}, "is no file of boxes"),
    ([{"bbox": [1, 2, 3, 4]}], "entry 0 is .*expected image_id or file_name"),
    ([{"file_name": "x", "bbox": [1, 2, 3]}], "entry 0 has bbox"),
    ([{"file_name": "x", "bbox": [1, 2, -3, 4]}], "entry 0 has bbox"),
    ([{"file_name": "x", "bbox": [1, 2, 3, 4], "score": "high"}], "entry 0 has score 'high'"),
    ([{"file_name": "x", "bbox": [1, 2, 3, 4], "category_id": 5}], "none of its 1 entries has category_id 1"),
    ([{"image_id": 1.5, "bbox": [1, 2, 3, 4]}], "neither a file_name nor a number"),
    ({**ANNOTATIONS, "categories": [{"id": 7, "name": "cat"}, {"id": 9, "name": "dog"}]}, "none of its categories"),
])  # fmt: skip
def test_files_that_are_none(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        boxes_of(tmp_path, content, "x")


def pipeline(detector: Any) -> PosePipeline:
    return PosePipeline(detector, TopDownEstimator(PlantedRuntime(), pose_card()))


def test_a_pipeline_takes_a_file(tmp_path: Path) -> None:
    picture = planted_person((90, 110), POINTS, 8)
    path = write_image(tmp_path / "x.png", picture)
    (tmp_path / "boxes.json").write_text(json.dumps([{"file_name": "x.png", "bbox": [10, 20, 70, 70], "score": 0.8}]))
    result = pipeline(tmp_path / "boxes.json")(path)
    np.testing.assert_allclose(result.keypoints[0], POINTS, atol=0.5)
    np.testing.assert_allclose(result.boxes, [[10, 20, 80, 90]])
    assert len(pipeline(str(tmp_path / "boxes.json")).estimate_batch([picture], [str(path)])[0]) == 1
    with pytest.raises(DataError, match="an array or a frame of a video has none"):
        pipeline(tmp_path / "boxes.json")(picture)


@pytest.mark.parametrize("returned", [
    [[10, 20, 80, 90]],
    np.array([[10, 20, 80, 90, 0.8]]),
    ([[10, 20, 80, 90]], [0.8]),
    Detections(np.array([[10, 20, 80, 90]], np.float32), np.array([0.8], np.float32), np.array([4])),
])  # fmt: skip
def test_a_pipeline_takes_a_function(returned: Any) -> None:
    picture = planted_person((90, 110), POINTS, 8)

    def find(image: np.ndarray) -> Any:
        assert image is not None and image.shape == (110, 90, 3)
        return returned

    np.testing.assert_allclose(pipeline(find)(picture).keypoints[0], POINTS, atol=0.5)
    assert len(pipeline(lambda image: [])(picture)) == len(pipeline(lambda image: None)(picture)) == 0
    assert len(pipeline(lambda image: [[10, 20, 80, 90, 0.3]])(picture)) == 0  # below det_threshold


@pytest.mark.parametrize("returned", ["boxes", [[1, 2, 3]], [[1, 2, 3, float("nan")]], ([[1, 2, 3, 4]], [0.5, 0.6]), 7])
def test_functions_that_return_something_else(returned: Any) -> None:
    def find(image: np.ndarray) -> Any:
        return returned

    with pytest.raises(DataError, match=r"function find returned .*expected finite boxes"):
        open_detector(find).detect([IMAGE])
    with pytest.raises(ConfigError, match="the detector is a int"):
        open_detector(7)  # type: ignore[arg-type]


def test_boxes_of_another_class(tmp_path: Path) -> None:
    file = tmp_path / "boxes.json"
    file.write_text(json.dumps(ANNOTATIONS))
    (found,) = FileBoxes(file, "Dog").detect([IMAGE], ["a/x.png"])
    assert found.boxes_xyxy.tolist() == [[5, 5, 10, 10]]
    with pytest.raises(DataError, match="called mouse"):
        FileBoxes(file, "mouse")


@pytest.mark.parametrize("extra", [{"box": "image"}, {"box": "given", "category": "mouse"}])
def test_models_of_whole_images_and_of_other_classes_get_no_detector_of_persons(extra: dict[str, str]) -> None:
    card = pose_card()
    card.extra.update(extra)
    assert PosePipeline(keypoint=TopDownEstimator(PlantedRuntime(), card)).detector is None


def test_a_body_gets_the_detector_of_persons_whatever_its_class_is_called() -> None:
    card = pose_card()
    card.extra.update({"box": "given", "category": "player"})
    assert not needs_persons(card), "three keypoints may be anything"
    card.skeleton = get_skeleton("coco17")
    assert needs_persons(card)
    card.extra["box"] = "image"
    assert not needs_persons(card)
