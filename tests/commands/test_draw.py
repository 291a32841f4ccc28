"""tools/visualize.py: every JSON of poses, any skeleton, missing images named."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ppdet.commands.running.drawing import PlotOptions, plot_poses
from ppdet.core.errors import ConfigError, DataError, MediaError
from ppdet.inference.files.pose_files import read_pose_file
from ppdet.inference.formats.json_results import named_record, paddledet_record
from ppdet.inference.results import PoseResult
from ppdet.skeletons import get_skeleton

ROOT = Path(__file__).resolve().parents[2]
COCO = get_skeleton("coco17")


def pose(count: int = 17, left: float = 40) -> np.ndarray:
    """(K, 3) keypoints in a 120 x 160 image, all with score .9."""
    rng = np.random.default_rng(count)
    return np.column_stack([rng.uniform(left, left + 60, count), rng.uniform(20, 100, count), np.full(count, 0.9)])


@pytest.fixture()
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("000000000007.jpg", "b.png"):
        cv2.imwrite(str(folder / name), np.full((120, 160, 3), 90, np.uint8))
    return folder


def write(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "poses.json"
    path.write_text(json.dumps(content))
    return path


def result(name: str, count: int = 1) -> PoseResult:
    rows = np.stack([pose()] * count).astype(np.float32)
    boxes = np.tile(np.float32([30, 10, 110, 110]), (count, 1))
    return PoseResult(boxes, np.ones(count, np.float32), rows[..., :2], rows[..., 2], COCO, (160, 120), path=name)


def drawn_pixels(folder: Path, name: str) -> int:
    pixels = cv2.imread(str(folder / name))
    assert pixels is not None and pixels.shape == (120, 160, 3)
    return int((np.abs(pixels.astype(int) - 90).max(axis=2) > 40).sum())


def coco_entry(**more: Any) -> dict[str, Any]:
    return {"category_id": 1, "keypoints": pose().reshape(-1).tolist(), "score": 0.8, **more}


MPII_ENTRY = {"image": "b.png", "center": [80, 60], "scale": 0.5, "joints_vis": [1] * 16}
LAYOUTS = {
    "COCO results by id": ([coco_entry(image_id=7)], "000000000007_pose.jpg", 17),
    "COCO results by name": ([coco_entry(image_id=1, file_name="b.png", bbox=[30, 10, 80, 100])], "b_pose.jpg", 17),
    "deploy, PaddleDetection's": ([paddledet_record(result("elsewhere/b.png", 2))], "b_pose.jpg", 17),
    "deploy, with names": ([named_record(result("b.png"))], "b_pose.jpg", 17),
    "MPII": ([{**MPII_ENTRY, "joints": pose(16)[:, :2].tolist()}], "b_pose.jpg", 16),
    "MPII, gt_joints": ([{**MPII_ENTRY, "gt_joints": pose(16)[:, :2].tolist()}], "b_pose.jpg", 16),
    "hands": ([coco_entry(file_name="b.png") | {"keypoints": pose(21).reshape(-1).tolist()}], "b_pose.jpg", 21),
    "COCO annotations": (
        {
            "images": [{"id": 3, "file_name": "b.png"}],
            "annotations": [{"id": 1, "image_id": 3, "bbox": [0, 0, 5, 5], "keypoints": [40, 30, 2, 100, 90, 1, 0, 0, 0]}],
            "categories": [{"id": 1, "name": "stick", "keypoints": ["a", "b", "c"], "skeleton": [[1, 2], [2, 3]]}],
        },
        "b_pose.jpg",
        3,
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_drawn(layout: str, tmp_path: Path, images: Path) -> None:
    content, name, joints = LAYOUTS[layout]
    path = write(tmp_path, content)
    assert {len(person) for image in read_pose_file(path).images for person in image.keypoints} == {joints}
    assert plot_poses(path, PlotOptions(tmp_path / "out", images)) == 0
    assert drawn_pixels(tmp_path / "out", name) > 100
    assert [file.name for file in (tmp_path / "out").iterdir()] == [name]


def test_links_of_the_annotations_categories(tmp_path: Path, images: Path) -> None:
    """The link a-b runs through (70, 60); c is not labelled and gets no limb."""
    path = write(tmp_path, LAYOUTS["COCO annotations"][0])
    plot_poses(path, PlotOptions(tmp_path / "out", images))
    pixels = cv2.imread(str(tmp_path / "out" / "b_pose.jpg")).astype(int)
    assert np.abs(pixels[60, 70] - 90).max() > 40 and np.abs(pixels[2, 2] - 90).max() < 10


def test_thresholds(tmp_path: Path, images: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path, [coco_entry(image_id=7), coco_entry(image_id=7, score=0.1)])
    assert plot_poses(path, PlotOptions(tmp_path / "a", images, threshold=0.95)) == 0
    assert drawn_pixels(tmp_path / "a", "000000000007_pose.jpg") == 0
    assert "1 image with 2 people, 1 of them below the person threshold 0.3 (coco17)" in caplog.text
    plot_poses(path, PlotOptions(tmp_path / "b", images, person_threshold=0.9))
    assert drawn_pixels(tmp_path / "b", "000000000007_pose.jpg") == 0


def test_missing_images_are_named_and_counted(tmp_path: Path, images: Path, caplog: pytest.LogCaptureFixture) -> None:
    (images / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    names = ("b.png", "gone.jpg", "torn.jpg")
    path = write(tmp_path, [coco_entry(file_name=name) for name in names] + [coco_entry(image_id=99)])
    assert plot_poses(path, PlotOptions(tmp_path / "out", images)) == 1
    assert "3 of 4 images were not drawn" in caplog.text and "gone.jpg is not in" in caplog.text
    assert "torn.jpg" in caplog.text and "image 99" in caplog.text
    with pytest.raises(MediaError, match="none of the 2 images.*--image_dir"):
        plot_poses(write(tmp_path, [coco_entry(file_name="x.jpg"), coco_entry(image_id=98)]), PlotOptions(tmp_path / "o", images))


def test_contact_sheet_limit_and_equal_stems(tmp_path: Path, images: Path) -> None:
    cv2.imwrite(str(images / "b.jpg"), np.zeros((120, 160, 3), np.uint8))
    path = write(tmp_path, [coco_entry(file_name=name) for name in ("b.png", "b.jpg", "000000000007.jpg")])
    assert plot_poses(path, PlotOptions(tmp_path / "out", images, sheet_columns=2, limit=2)) == 0
    written = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert len(written) == 3 and "contact_sheet.jpg" in written and "b_pose.jpg" in written
    assert cv2.imread(str(tmp_path / "out" / "contact_sheet.jpg")).shape == (360, 960, 3)


def test_deploys_json_is_drawn_on_the_turned_image(tmp_path: Path, images: Path) -> None:
    """Deployment and tools/infer.py turn images as EXIF says; results of an evaluation refer to the stored pixels."""
    data = cv2.imencode(".jpg", np.full((160, 120, 3), 90, np.uint8))[1].tobytes()
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    (images / "33.jpg").write_bytes(data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:])
    turned, stored = (120, 160, 3), (160, 120, 3)
    for entry, shape in (
        (named_record(result("33.jpg")), turned),
        (paddledet_record(result("33.jpg")), turned),
        (coco_entry(image_id=33, file_name="33.jpg"), turned),
        (coco_entry(image_id=33), stored),
    ):
        plot_poses(write(tmp_path, [entry]), PlotOptions(tmp_path / "out", images))
        assert cv2.imread(str(tmp_path / "out" / "33_pose.jpg")).shape == shape


def test_names_of_ids_come_from_the_annotations(tmp_path: Path, images: Path) -> None:
    truth = tmp_path / "truth.json"
    truth.write_text(json.dumps(LAYOUTS["COCO annotations"][0]))
    entry = {"image_id": 3, "score": 1, "keypoints": [40, 30, 0.9, 100, 90, 0.8, 50, 50, 0.7]}
    assert plot_poses(write(tmp_path, [entry]), PlotOptions(tmp_path / "out", images, truth)) == 0
    assert drawn_pixels(tmp_path / "out", "b_pose.jpg") > 100


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ([], {}, "empty list"),
        ({"a": 1}, {}, "expected a list of predictions"),
        ([{"image_id": 1, "bbox": [0, 0, 1, 1], "score": 1}], {}, "hold no poses"),
        ([coco_entry(file_name="b.png"), 7], {}, r"entry \[1\] does not fit"),
        ([coco_entry(file_name="b.png"), coco_entry(file_name="b.png", keypoints=[1, 2])], {}, r"entry \[1\]"),
        ([coco_entry(file_name="b.png"), coco_entry(file_name="b.png", keypoints=[1, 2, 3])], {}, "different numbers"),
        ([[4, [[0, 0, 1, 1]], [[pose().tolist()], [[0.9]]]]], {}, "frame 4 of a video"),
        ([coco_entry(file_name="b.png")], {"skeleton": "mpii16"}, "17 keypoints, skeleton mpii16 has 16"),
        ([coco_entry(file_name="b.png")], {"skeleton": "coco18"}, "did you mean 'coco17'"),
        ([coco_entry(file_name="b.png", keypoints=pose(14).reshape(-1).tolist())], {}, "crowdpose14 or aic14 or lsp14"),
        ([coco_entry(file_name="b.png")], {"limit": -1}, "--limit"),
    ],
)
def test_mistakes_are_named(content: Any, options: dict[str, Any], message: str, tmp_path: Path, images: Path) -> None:
    with pytest.raises((DataError, ConfigError), match=message):
        plot_poses(write(tmp_path, content), PlotOptions(tmp_path / "out", images, **options))


def test_exit_status_of_the_command(tmp_path: Path, images: Path) -> None:
    path = write(tmp_path, [coco_entry(file_name="b.png"), coco_entry(file_name="gone.jpg")])
    command = [sys.executable, str(ROOT / "tools" / "visualize.py")]
    flags = ["--image_dir", str(images), "--output_dir", str(tmp_path / "out"), "--boxes"]
    done = subprocess.run([*command, str(path), *flags], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "gone.jpg" in done.stderr + done.stdout
    done = subprocess.run([*command, str(tmp_path / "no.json"), *flags], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "error: cannot read" in done.stderr


def test_truth_is_drawn_in_white_below_the_predictions(tmp_path: Path, images: Path) -> None:
    truth = pose(left=90)
    truth[:, 2] = 2
    labels = {"images": [{"id": 7, "file_name": "000000000007.jpg"}], "categories": [],
              "annotations": [{"id": 1, "image_id": 7, "keypoints": truth.reshape(-1).tolist(), "bbox": [80, 10, 70, 100]}]}
    annotations = tmp_path / "labels.json"
    annotations.write_text(json.dumps(labels))
    options = {"output_dir": tmp_path / "out", "image_dir": images, "annotations": annotations, "skeleton": "coco17"}
    predictions = write(tmp_path, [coco_entry(image_id=7)])
    white = []
    for drawn in (False, True):
        assert plot_poses(predictions, PlotOptions(**options, truth=drawn)) == 0
        name = "000000000007_pose.jpg"
        white.append(int((cv2.imread(str(tmp_path / "out" / name)).min(axis=2) > 220).sum()))
    assert white[1] > white[0] + 100
    with pytest.raises(ConfigError, match="give it as --annotations"):
        plot_poses(predictions, PlotOptions(image_dir=images, truth=True))


def test_a_config_may_give_the_skeleton(tmp_path: Path, images: Path) -> None:
    config = tmp_path / "cow.yml"
    config.write_text("skeleton: {name: cow, keypoints: [head, back, tail], links: [[head, back], [back, tail]]}\n")
    path = write(tmp_path, [{"image_id": 7, "category_id": 1, "keypoints": pose(3).reshape(-1).tolist(), "score": 0.9}])
    assert plot_poses(path, PlotOptions(output_dir=tmp_path / "out", image_dir=images, skeleton=str(config))) == 0
    assert drawn_pixels(tmp_path / "out", "000000000007_pose.jpg") > 50
