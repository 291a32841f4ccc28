"""`ppdet dataset prelabel` with planted models: what it writes, and that datasets read it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support.planted_models import planted_person, write_pose_model

from ppdet.commands.datasets.prelabel import main
from ppdet.image.io import write_image

POINTS = np.array([[30.0, 40.0], [50.0, 60.0], [40.0, 90.0]])


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    write_image(folder / "a.png", planted_person((96, 128), POINTS, 16.0))
    write_image(folder / "b.png", np.zeros((64, 48, 3), np.uint8))
    return folder


def prelabel(tmp_path, images, *more):
    model = write_pose_model(tmp_path / "pose")
    output = tmp_path / "labels" / "labels.json"
    status = main([str(images), "--keypoint_model_dir", str(model), "-o", str(output), "--cpu_threads", "1", *more])
    return status, json.loads(output.read_text()) if output.exists() else None


def test_labels_lie_where_the_people_are_and_say_what_made_them(tmp_path, images):
    status, content = prelabel(tmp_path, images)
    assert status == 0
    assert [(image["file_name"], image["width"], image["height"]) for image in content["images"]] == [
        ("a.png", 96, 128), ("b.png", 48, 64),
    ]  # fmt: skip
    (entry,) = content["annotations"]  # nobody is sure in the black image, which is listed all the same
    found = np.reshape(entry["keypoints"], (-1, 3))
    np.testing.assert_allclose(found[:, :2], POINTS, atol=1.0)
    assert found[:, 2].tolist() == [2, 2, 2] and entry["num_keypoints"] == 3
    assert entry["machine_made"] is True and 0.5 < entry["score"] <= 1.0 and len(entry["keypoint_scores"]) == 3
    assert entry["bbox"] == [0, 0, 96, 128] and entry["iscrowd"] == 0
    assert content["info"]["machine_made"] is True and content["info"]["models"]["keypoints"].endswith("pose")
    assert content["categories"][0]["keypoints"] == ["nose", "left_hand", "right_hand"]


def test_the_dataset_reads_it(tmp_path, images):
    from ppdet.data.sources.coco_top_down import KeypointTopDownCocoDataset

    prelabel(tmp_path, images)
    dataset = KeypointTopDownCocoDataset(str(tmp_path), "images", "labels/labels.json", num_joints=3, trainsize=[48, 64])
    sample = dataset[0]
    np.testing.assert_allclose(sample.xy_image, POINTS, atol=1.0)


def test_doubtful_keypoints_stay_unlabelled(tmp_path, images):
    status, content = prelabel(tmp_path, images, "--keypoint_threshold", "1.0")
    assert status == 0 and content["annotations"] == []


def test_labels_of_a_person_are_not_overwritten(tmp_path, images, capsys):
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "labels.json").write_text('{"mine": 1}')
    status, content = prelabel(tmp_path, images)
    assert status == 2 and content == {"mine": 1}
    assert "--overwrite" in capsys.readouterr().err
    status, content = prelabel(tmp_path, images, "--overwrite")
    assert status == 0 and len(content["images"]) == 2


def test_a_folder_without_images_is_refused(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    status, content = prelabel(tmp_path, tmp_path / "empty")
    assert status == 2 and content is None and "empty" in capsys.readouterr().err
