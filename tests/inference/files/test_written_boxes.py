"""Boxes and people as files of other programs: MOTChallenge rows, COCO results, annotations made by models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.pose_results import random_result

from ppdet.core.errors import MediaError
from ppdet.inference.estimators.detections import Detections
from ppdet.inference.files.coco_results import box_records
from ppdet.inference.files.machine_labels import MachineLabels
from ppdet.inference.files.mot_rows import MotRowsWriter
from ppdet.inference.results import PoseResult
from ppdet.skeletons import get_skeleton

MPII = get_skeleton("mpii16")


def labelled_person(scores: list[float], box_score: float = 0.8) -> PoseResult:
    """Somebody in (10, 20) to (30, 60), whose keypoint k is at (10 + k, 20.126)."""
    count = MPII.num_keypoints
    xy = np.stack([10.0 + np.arange(count), np.full(count, 20.126)], axis=1)[None].astype(np.float32)
    boxes, sure = np.float32([[10, 20, 30, 60]]), np.float32([scores + [0.0] * (count - len(scores))])
    return PoseResult(boxes, np.float32([box_score]), xy, sure, MPII, (640, 480))


def test_rows_of_motchallenge(tmp_path: Path) -> None:
    """Columns and order are MOTChallenge's: frame, identity, left, top, width, height, score and three unknown coordinates."""
    file = tmp_path / "new" / "a.txt"
    with MotRowsWriter(file) as writer:
        writer.add_boxes(3, np.array([7, 9]), np.array([[1, 2, 11, 22.5], [0.125, 0, 1, 1]]), np.array([0.5, 1.0]))
        writer.add(random_result(0, frame_id=4, track_ids=np.zeros(0, int)))
        writer.add(random_result(2, frame_id=5))  # people without identities have no row
        assert not file.exists()
    assert file.read_text() == "3,7,1.00,2.00,10.00,20.50,0.5000,-1,-1,-1\n3,9,0.12,0.00,0.88,1.00,1.0000,-1,-1,-1\n"


def test_rows_of_a_result_and_of_an_interrupted_run(tmp_path: Path) -> None:
    result = random_result(1, frame_id=5, track_ids=np.array([3]))
    with pytest.raises(KeyboardInterrupt), MotRowsWriter(tmp_path / "a.txt") as writer:
        writer.add(result)
        raise KeyboardInterrupt  # what was written until then is wanted
    fields = (tmp_path / "a.txt").read_text().split(",")
    x1, y1, x2, y2 = result.boxes[0].tolist()
    assert fields[:2] == ["5", "3"]
    assert [float(value) for value in fields[2:6]] == pytest.approx([x1, y1, x2 - x1, y2 - y1], abs=0.01)
    with pytest.raises(RuntimeError), MotRowsWriter(tmp_path / "b.txt") as writer:
        writer.add(result)
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_rows_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    writer = MotRowsWriter(tmp_path / "file" / "a.txt")
    with pytest.raises(MediaError, match="cannot write .*a.txt: .*choose another --output_dir"), writer:
        pass


def test_boxes_of_coco_results() -> None:
    """Categories count from 1, boxes have width and height."""
    found = Detections.from_rows([[1, 2, 4, 6.5]], [0.123456], [0])
    assert box_records(found, 12, "a.jpg") == [
        {"image_id": 12, "file_name": "a.jpg", "category_id": 1, "bbox": [1.0, 2.0, 3.0, 4.5], "score": 0.12346}
    ]
    assert box_records(found[:0], 12, "a.jpg") == []


def test_annotations_made_by_a_model() -> None:
    labels = MachineLabels(MPII, {"keypoints": "mine"}, keypoint_threshold=0.5, min_keypoints=2)
    assert labels.add(labelled_person([0.5, 0.9, 0.49]), "a.jpg", 4) == 1
    assert labels.add(labelled_person([0.9, 0.4]), "b.jpg", 5) == 0  # one keypoint is too few; the image is listed all the same
    content = labels.content("1.2.3")
    assert content["images"] == [
        {"id": number, "file_name": name, "width": 640, "height": 480} for number, name in ((4, "a.jpg"), (5, "b.jpg"))
    ]
    (entry,) = content["annotations"]
    assert entry["keypoints"] == [10, 20.13, 2, 11, 20.13, 2] + [0] * 42 and entry["num_keypoints"] == 2
    assert (entry["id"], entry["image_id"], entry["bbox"], entry["iscrowd"]) == (1, 4, [10, 20, 20, 40], 0)
    assert entry["score"] == pytest.approx(0.8 * 0.7, abs=1e-4) and entry["machine_made"] is True
    assert entry["keypoint_scores"][:4] == [0.5, 0.9, 0.49, 0.0] and 0 < entry["area"] < 20 * 40
    assert content["info"]["models"] == {"keypoints": "mine"} and content["info"]["made_by"] == "ppdet-keypoint 1.2.3"
    assert content["categories"] == [{"id": 1, "name": "person", "keypoints": list(MPII.names),
                                      "skeleton": [[a + 1, b + 1] for a, b in MPII.links]}]  # fmt: skip


def test_without_a_fewest_number_somebody_without_keypoints_has_no_score() -> None:
    labels = MachineLabels(MPII, {}, keypoint_threshold=0.5, min_keypoints=0)
    assert labels.add(labelled_person([]), "a.jpg", 1) == 1 and labels.annotations[0]["score"] == 0.0
