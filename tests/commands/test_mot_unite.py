"""mot_keypoint_unite_infer.py: identities in JSON, text and drawings, for top-down and bottom-up models; what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.command_runs import run_module
from support.planted_group import group_image, write_bottom_up_model
from support.planted_models import planted_person, write_detector, write_pose_model

from ppdet.commands.deployed import mot_unite
from ppdet.core.errors import ConfigError, ModelDirError
from ppdet.core.quantity import quantity
from ppdet.image.io import write_image

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
FRAMES = 10


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("models")
    return {"det": str(write_detector(folder / "det")), "kpt": str(write_pose_model(folder / "kpt")),
            "group": str(write_bottom_up_model(folder / "group"))}  # fmt: skip


def write_clip(path: Path, images: list[np.ndarray]) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, images[0].shape[1::-1])
    for image in images:
        writer.write(np.ascontiguousarray(image[..., ::-1]))
    writer.release()
    return path


def walker() -> list[np.ndarray]:
    return [planted_person((96, 128), np.array([[30.0 + number, 30], [20, 60], [60, 70]]), 5.0) for number in range(FRAMES)]


def command(out: Path, *words: object) -> int:
    return run_module(mot_unite, *map(str, words), "--output_dir", str(out), "--engine", "onnxruntime")


def test_a_video_with_a_detector(models: dict[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clip, out = write_clip(tmp_path / "clip.avi", walker()), tmp_path / "out"
    flags = ("--mot_model_dir", models["det"], "--keypoint_model_dir", models["kpt"], "--video_file", clip)
    assert command(out, *flags, "--save_res", "--save_mot_txts") == 0
    assert sorted(path.name for path in out.iterdir()) == ["clip.avi", "clip.txt", "mot_keypoint_unite_video_results.json"]
    records = json.loads((out / "mot_keypoint_unite_video_results.json").read_text())
    assert [record[0] for record in records] == list(range(1, FRAMES + 1))  # no frame dropped
    people = [len(record[1]) for record in records]
    assert all(len(record[3]) == len(record[2][0]) == count for record, count in zip(records, people))
    identities = {identity for record in records for identity in record[3]}
    rows = [line.split(",") for line in (out / "clip.txt").read_text().splitlines()]
    assert len(rows) == sum(people) and {int(row[1]) for row in rows} == identities and rows[0][0] == "1"
    x1, y1, x2, y2 = records[0][1][0]
    np.testing.assert_allclose([float(value) for value in rows[0][2:6]], [x1, y1, x2 - x1, y2 - y1], atol=0.02)
    assert rows[0][7:] == ["-1", "-1", "-1"]
    assert f"{FRAMES} frames, {quantity(len(identities), 'person')} in {sum(people)} person-frames" in caplog.text


def test_a_bottom_up_model_needs_no_detector(
    models: dict[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    people = np.array([[[60.0, 80.0], [110.0, 85.0]], [[200.0, 60.0], [250.0, 150.0]]])
    frames = [group_image((400, 260), people + [3 * n, 0], 5.0) for n in range(6)]
    clip, out = write_clip(tmp_path / "clip.avi", frames), tmp_path / "out"
    flags = ("--keypoint_model_dir", models["group"], "--video_file", clip, "--save_res", "--json_layout", "named")
    assert command(out, *flags) == 0 and "is not used" not in caplog.text
    lefts = set()
    for record in json.loads((out / "mot_keypoint_unite_video_results.json").read_text()):
        assert sorted(person["id"] for person in record["people"]) == [1, 2]
        lefts.add(min(record["people"], key=lambda person: person["box"][0])["id"])
    assert len(lefts) == 1
    assert command(out, *flags, "--mot_model_dir", models["det"]) == 0 and "is not used" in caplog.text


def test_images(models: dict[str, str], tmp_path: Path) -> None:
    image, out = write_image(tmp_path / "one.png", walker()[0]), tmp_path / "out"
    flags = ("--mot_model_dir", models["det"], "--keypoint_model_dir", models["kpt"], "--image_file", image, "--save_res")
    assert command(out, *flags) == 0
    assert sorted(path.name for path in out.iterdir()) == ["det_keypoint_unite_image_results.json", "one_vis.jpg"]
    assert len(json.loads((out / "det_keypoint_unite_image_results.json").read_text())[0]) == 3  # PaddleDetection's layout


def test_refused(models: dict[str, str], tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.avi", walker()[:2])
    rest = ("--keypoint_model_dir", models["kpt"], "--video_file", clip)
    with pytest.raises(ConfigError, match="--mot_model_dir is missing: .* top-down"):
        command(tmp_path / "out", *rest)
    jde = tmp_path / "jde"
    jde.mkdir()
    (jde / "infer_cfg.yml").write_text("arch: JDE\nPreprocess: [{type: Permute}]\nlabel_list: [pedestrian]\n")
    with pytest.raises(ModelDirError, match="arch JDE, a network that finds and follows people at once"):
        command(tmp_path / "out", *rest, "--mot_model_dir", jde)
    with pytest.raises(ConfigError, match="--mot_threshold is 2"):
        command(tmp_path / "out", *rest, "--mot_model_dir", models["det"], "--mot_threshold", 2)
