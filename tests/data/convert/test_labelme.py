"""labelme's files become an annotation file that the dataset reads."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ppdet.core.errors import ConfigError, DataError
from ppdet.data.convert.labelme import coco_from_labelme
from ppdet.data.convert.labelme_folder import convert_folder
from ppdet.data.sources.coco_top_down import KeypointTopDownCocoDataset
from ppdet.skeletons import get_skeleton

ROOT = Path(__file__).resolve().parents[3]
STICK = get_skeleton({"name": "stick", "keypoints": ["head", "left_foot", "right_foot"], "links": [["head", "left_foot"]]})


def shape(label: str, *points: Any, group: Any = None, **more: Any) -> dict[str, Any]:
    kind = "rectangle" if len(points) == 2 else "point"
    return {"label": label, "points": [list(xy) for xy in points], "group_id": group, "shape_type": kind, "flags": {}, **more}


def write(folder: Path, name: str, shapes: list[Any], **more: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / f"{name}.png"), np.zeros((50, 80, 3), np.uint8))
    content = {"version": "5.0", "flags": {}, "shapes": shapes, "imagePath": f"{name}.png", "imageData": None,
               "imageHeight": 50, "imageWidth": 80, **more}  # fmt: skip
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content))
    return path


NAMED = [shape("foot", (40, 45), (10, 5)), shape("right_foot", (12.5, 40)), shape("head", (20, 8), flags={"hidden": True})]


def test_points_by_name_and_a_box(tmp_path: Path) -> None:
    content = coco_from_labelme([write(tmp_path, "a", NAMED)], STICK, "foot", tmp_path)
    assert content["images"] == [{"id": 1, "file_name": "a.png", "width": 80, "height": 50}]
    (entry,) = content["annotations"]
    assert entry["bbox"] == [10, 5, 30, 40]  # whichever corner was drawn first
    assert entry["keypoints"] == [20, 8, 1, 0, 0, 0, 12.5, 40, 2] and entry["num_keypoints"] == 2
    assert content["categories"] == [
        {"id": 1, "name": "foot", "keypoints": ["head", "left_foot", "right_foot"], "skeleton": [[1, 2]]}
    ]


def test_points_without_names_go_by_order(tmp_path: Path) -> None:
    shapes = [shape("1", (1, 2)), shape("2", (3, 4)), shape("3", (5, 6))]
    (entry,) = coco_from_labelme([write(tmp_path, "a", shapes)], STICK, "foot", tmp_path)["annotations"]
    assert entry["keypoints"] == [1, 2, 2, 3, 4, 2, 5, 6, 2] and "bbox" not in entry


@pytest.mark.parametrize(
    "labels", [("3", "1", "2"), ("2", "0", "1"), ("Right Foot", "HEAD", "left-foot"), ("right_foot", "head", "LEFT_FOOT")]
)
def test_labels_decide_and_not_the_order(labels: tuple[str, str, str], tmp_path: Path) -> None:
    shapes = [shape(label, xy) for label, xy in zip(labels, ((5, 6), (1, 2), (3, 4)))]
    (entry,) = coco_from_labelme([write(tmp_path, "a", shapes)], STICK, "foot", tmp_path)["annotations"]
    assert entry["keypoints"] == [1, 2, 2, 3, 4, 2, 5, 6, 2]


def test_some_numbers_and_points_called_alike(tmp_path: Path) -> None:
    (entry,) = coco_from_labelme([write(tmp_path, "a", [shape("3", (5, 6))])], STICK, "foot", tmp_path)["annotations"]
    assert entry["keypoints"] == [0, 0, 0, 0, 0, 0, 5, 6, 2]  # no 3 when counting from 0
    alike = [shape("p", (1, 2)), shape("p", (3, 4)), shape("p", (5, 6))]
    (entry,) = coco_from_labelme([write(tmp_path, "a", alike)], STICK, "foot", tmp_path)["annotations"]
    assert entry["keypoints"] == [1, 2, 2, 3, 4, 2, 5, 6, 2]


def test_a_rectangle_of_four_corners_and_a_byte_order_mark(tmp_path: Path) -> None:
    corners = shape("foot", (40, 5), (40, 45), (10, 45), (10, 5), shape_type="rectangle")
    path = write(tmp_path, "a", [corners, *NAMED[1:]], imageWidth="80")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    content = coco_from_labelme([path], STICK, "foot", tmp_path)
    assert content["annotations"][0]["bbox"] == [10, 5, 30, 40] and content["images"][0]["width"] == 80


def test_two_objects_by_group_and_by_place(tmp_path: Path) -> None:
    boxes = [shape("foot", (0, 0), (30, 30), group=1), shape("foot", (40, 0), (70, 30), group=2)]
    shapes = [*boxes, shape("head", (50, 5), group=2), shape("head", (10, 5)), shape("left_foot", (60, 20))]
    entries = coco_from_labelme([write(tmp_path, "a", shapes)], STICK, "foot", tmp_path)["annotations"]
    assert [e["keypoints"] for e in entries] == [[10, 5, 2, 0, 0, 0, 0, 0, 0], [50, 5, 2, 60, 20, 2, 0, 0, 0]]


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([shape("head", (1, 1)), shape("haed", (2, 2))], "'haed' is no keypoint of stick; did you mean 'head'"),
        ([shape("head", (1, 1)), shape("head", (2, 2))], "two points 'head'; two objects need two rectangles"),
        ([shape("1", (1, 1))], "1 points whose labels are no keypoints of stick but numbers"),
        ([shape("4", (1, 1)), shape("1", (1, 1))], "2 points whose labels are no keypoints of stick but numbers from 1 to 4"),
        ([shape("a", (1, 1)), shape("b", (1, 1)), shape("c", (1, 1))], "no keypoints of stick .a, b, c.; name"),
        ([shape("head", (1, 1), shape_type="polygon")], "a shape is a polygon"),
        ([shape("head", ("a", 1))], "the point 'head' has the points"),
        (["head"], "a shape is a None"),
        ([shape("f", (0, 0), (9, 9)), shape("f", (0, 0), (8, 8)), shape("head", (1, 1))], "belongs to 2 rectangles by its place"),
        (None, "not a file of labelme"),
        ([shape(name, (0.1 * n, 0.5)) for n, name in enumerate(STICK.names)], "points are fractions of the image"),
    ],
)
def test_what_cannot_be_converted_is_named(shapes: Any, message: str, tmp_path: Path) -> None:
    good, bad = write(tmp_path, "a", NAMED), write(tmp_path, "b", shapes)
    with pytest.raises(DataError, match=message) as caught:
        coco_from_labelme([good, bad], STICK, "foot", tmp_path)
    assert str(bad) in str(caught.value) and str(good) not in str(caught.value)


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    file = write(tmp_path, "a", NAMED, imagePath="..\\b.png")
    with pytest.raises(DataError, match=r"b\.png does not exist"):
        coco_from_labelme([file], STICK, "foot", tmp_path)


def test_an_image_of_another_computer_lies_beside_its_file(tmp_path: Path) -> None:
    file = write(tmp_path, "a", NAMED, imagePath="C:\\Users\\me\\a.png")
    assert coco_from_labelme([file], STICK, "foot", tmp_path)["images"][0]["file_name"] == "a.png"


def test_labels_of_another_size_of_the_image_are_refused(tmp_path: Path) -> None:
    file = write(tmp_path, "a", NAMED, imageWidth=160, imageHeight=100)
    with pytest.raises(DataError, match="labelled on an image of 160x100 pixels, and a.png has 80x50"):
        coco_from_labelme([file], STICK, "foot", tmp_path)


def test_the_dataset_reads_both_parts(tmp_path: Path) -> None:
    for number in range(10):
        write(tmp_path / "images" / "day1", f"{number}", NAMED)
    target = tmp_path / "annotations" / "train.json"
    written = convert_folder(tmp_path / "images", target, STICK, "foot", tmp_path / "images", val=0.2)
    sizes, names = [], set()
    for path in written:
        anno = f"annotations/{path.name}"
        dataset = KeypointTopDownCocoDataset(str(tmp_path), "images", anno, trainsize=[48, 64], skeleton=STICK,
                                             num_joints=3)  # fmt: skip
        sizes.append(len(dataset))
        names |= {dataset.describe(i).image_path for i in range(len(dataset))}
        assert dataset[0].image.shape == (50, 80, 3)
        np.testing.assert_array_equal(dataset.describe(0).visible, [1, 0, 1])
    assert sizes == [8, 2] and len(names) == 10
    again = convert_folder(tmp_path / "images", target, STICK, "foot", tmp_path / "images", val=0.2)
    assert [path.read_text() for path in again] == [path.read_text() for path in written]


def test_shares_and_folders_that_do_not_work(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no JSON files"):
        convert_folder(tmp_path, tmp_path / "train.json", STICK, "foot", tmp_path)
    write(tmp_path, "a", NAMED)
    with pytest.raises(ConfigError, match="--val 0.2 of 1 files"):
        convert_folder(tmp_path, tmp_path / "train.json", STICK, "foot", tmp_path, val=0.2)
    assert not (tmp_path / "train.json").exists()


def test_the_command(tmp_path: Path) -> None:
    points = [shape(str(n), (n + 20, n + 10)) for n in range(17)]
    write(tmp_path, "a", [shape("foot", (10, 5), (70, 45)), *points])
    command = ["tools/labelme_to_coco.py", str(tmp_path), "-c", "configs/keypoint/xray/xray_foot_resnet50_256x192.yml",
               "-o", str(tmp_path / "train.json"), "--category", "foot"]  # fmt: skip
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0 and "1 image with 1 object written to" in done.stdout + done.stderr
    content = json.loads((tmp_path / "train.json").read_text())
    assert content["categories"][0]["keypoints"][:4] == ["f1_0", "f1_1", "f1_2", "f2_0"]
    assert content["categories"][0]["skeleton"][:3] == [[1, 2], [2, 3], [3, 16]]
