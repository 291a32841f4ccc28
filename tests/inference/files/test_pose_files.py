"""Poses of JSON files, whoever wrote them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.pose_results import random_result, random_video

from ppdet.core.errors import DataError
from ppdet.inference.files.pose_files import read_pose_file
from ppdet.inference.results import save_results

FLAT = [1.0, 2.0, 0.9, 3.0, 4.0, 0.5]
ROWS = [[1, 2, 0.9], [3, 4, 0.5]]
CATEGORY = {"id": 1, "name": "stick", "keypoints": ["a", "b"], "skeleton": [[1, 2]]}
RESULT = {"image_id": 7, "category_id": 1, "keypoints": FLAT, "score": 0.8}


def read(folder: Path, content: Any, name: str = "poses.json") -> Any:
    (folder / name).write_text(json.dumps(content))
    return read_pose_file(folder / name)


def annotations(*entries: dict, **more: Any) -> dict:
    return {"images": [{"id": 3, "file_name": "b.png"}], "annotations": list(entries), "categories": [CATEGORY], **more}


def test_results_of_an_evaluation_have_ids_and_stored_pixels(tmp_path: Path) -> None:
    found = read(tmp_path, [RESULT, {**RESULT, "image_id": 8}, {**RESULT, "bbox": [1, 2, 10, 20]}])
    first, second = found.images
    assert (first.image_id, first.name, first.title, len(first.keypoints)) == (7, None, "image 7", 2) and second.image_id == 8
    assert first.keypoints[0].tolist() == ROWS and first.person_scores == [0.8, 0.8]
    assert first.boxes[0] is None and first.boxes[1].tolist() == [1, 2, 11, 22]
    assert (found.kind, found.turned, found.skeleton) == ("predictions", False, None)


def test_results_on_users_images_have_names_and_are_turned(tmp_path: Path) -> None:
    found = read(tmp_path, [{**RESULT, "file_name": "a.jpg"}])
    assert found.images[0].title == "a.jpg" and found.turned


def test_deploys_list_has_the_mean_score(tmp_path: Path) -> None:
    found = read(tmp_path, [["a.jpg", [[1, 2, 11, 22]], [[ROWS, ROWS], [[0.7], [0.7]]]]])
    (image,) = found.images
    assert image.person_scores == pytest.approx([0.7, 0.7]) and found.turned
    assert image.boxes[0].tolist() == [1, 2, 11, 22] and image.boxes[1] is None


def test_json_lines_and_the_list_with_names_say_the_same(tmp_path: Path) -> None:
    images = [random_result(2, path="a.jpg"), random_result(1, 5, path="b.jpg")]
    lines, named = (read_pose_file(save_results(images, tmp_path / name)) for name in ("a.jsonl", "a.json"))
    for each in (lines, named):
        assert [image.name for image in each.images] == ["a.jpg", "b.jpg"]
        np.testing.assert_allclose(each.images[0].keypoints[1][:, :2], images[0].keypoints[1], atol=0.01)
    with pytest.raises(DataError, match=r"entry \[\d\] is of frame 1 of a video, not of an image: `ppdet pose VIDEO` draws"):
        read_pose_file(save_results(random_video(3), tmp_path / "video.jsonl"))


def test_mpii_counts_from_1(tmp_path: Path) -> None:
    entry = {"image": "a.jpg", "joints": [[11, 21], [1, 1]], "joints_vis": [1, 0]}
    found = read(tmp_path, [entry])
    assert found.images[0].keypoints[0].tolist() == [[10, 20, 1], [0, 0, 0]] and found.kind == "annotations"
    assert read(tmp_path, [{**entry, "gt_joints": [[2, 2], [3, 3]]}]).images[0].keypoints[0][0].tolist() == [1, 1, 1]


def test_annotations_have_the_skeleton_of_their_category(tmp_path: Path) -> None:
    person = {"id": 1, "image_id": 3, "category_id": 1, "bbox": [1, 2, 10, 20], "keypoints": [5, 6, 2, 0, 0, 0]}
    found = read(tmp_path, annotations(person, {**person, "id": 2, "iscrowd": 1}, {"id": 4, "image_id": 3}))
    (image,) = found.images
    assert image.name == "b.png" and [rows.tolist() for rows in image.keypoints] == [[[5, 6, 1], [0, 0, 0]]]
    assert (found.kind, found.skeleton.names, found.skeleton.links) == ("annotations", ("a", "b"), ((0, 1),))
    assert image.person_scores == [1.0] and image.boxes[0].tolist() == [1, 2, 11, 22] and found.names == {3: "b.png"}


def test_keypoints_that_were_not_found_may_be_anywhere(tmp_path: Path) -> None:
    found = read(tmp_path, [{**RESULT, "keypoints": [float("nan"), float("nan"), 0, 3, 4, 0.5]}])
    assert found.images[0].keypoints[0].tolist() == [[0, 0, 0], [3, 4, 0.5]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"a": 1}, "expected a list of predictions, or a COCO file"),
        ([], "is an empty list: there is nothing to draw"),
        ([{"name": 1, "value": 2}], r"its entries \(name, value\) hold no poses"),
        ([3], r"its entries \(int\) hold no poses"),
        ([RESULT, {"image_id": 7}], r"entry \[1\] does not fit the others \(KeyError"),
        ([RESULT, 5], r"entry \[1\] does not fit the others"),
        ([{**RESULT, "keypoints": []}], r"entry \[0\] .*no keypoints"),
        ([{**RESULT, "keypoints": [1e30, 1, 1]}], "keypoints with numbers that are not finite, or no pixels"),
        ([{**RESULT, "score": float("inf")}], "score with numbers that are not finite"),
        ([{**RESULT, "bbox": [1, 2, 3]}], r"entry \[0\] does not fit"),
        ([{**RESULT, "keypoints": [1, 2, 3, 4]}], r"entry \[0\] does not fit"),
    ],
)
def test_what_holds_no_poses(tmp_path: Path, content: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read(tmp_path, content)


def test_annotations_that_hold_no_keypoints_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="annotation 9 holds no keypoints x, y, v"):
        read(tmp_path, annotations({"id": 9, "image_id": 3, "category_id": 1, "keypoints": [1, 2, 2, 5]}))
