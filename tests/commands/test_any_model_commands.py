"""The commands take ONNX files of other toolkits, folders of them, and JSON files of boxes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.command_runs import run_module
from support.onnx_networks import write_network

from ppdet.commands.deployed import detector as detector_command
from ppdet.commands.deployed import keypoint as keypoint_command
from ppdet.commands.deployed import unite as unite_command
from ppdet.commands.running import detect, pose
from ppdet.core.errors import ModelDirError
from ppdet.image.io import write_image

for package in ("onnx", "onnxruntime"):
    pytest.importorskip(package)

BOX = [16, 8, 40, 56]


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    rows = np.array([[[*BOX, 0.9, 0], [*BOX, 0.8, 16], [0, 0, 9, 9, 0.2, 0]]], np.float32)
    names = {number: "person" if number == 0 else f"thing {number}" for number in range(80)}
    metadata = {"author": "Ultralytics", "task": "detect", "names": names, "end2end": True}
    yolo = write_network(tmp_path / "models" / "yolo.onnx", {"output0": rows}, (64, 64), metadata=metadata)
    simcc_x, simcc_y = np.zeros((1, 17, 96), np.float32), np.zeros((1, 17, 128), np.float32)
    simcc_x[0, :, 48], simcc_y[0, :, 64] = 0.7, 0.8  # the middle of the crop
    outputs = {"simcc_x": simcc_x, "simcc_y": simcc_y}
    rtmpose = write_network(tmp_path / "rtmpose" / "end2end.onnx", outputs, (48, 64), image="input")
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps([{"file_name": "x.png", "category_id": 1, "bbox": [16, 8, 24, 48], "score": 0.9}]))
    image = write_image(tmp_path / "x.png", np.full((64, 64, 3), 90, np.uint8))
    return {"yolo": str(yolo), "rtmpose": str(rtmpose), "boxes": str(boxes), "image": str(image), "out": str(tmp_path / "out")}


@pytest.mark.parametrize("det", ["yolo", "boxes"])
def test_pose_of_other_peoples_models(places: dict[str, str], det: str) -> None:
    target = places["out"] + ".json"
    assert run_module(pose, places["image"], "--det", places[det], "--model", places["rtmpose"], "--json", target) == 0
    (image,) = json.loads(Path(target).read_text())
    (person,) = image["people"]
    assert person["box"] == pytest.approx(BOX, abs=0.01) and person["box_score"] == pytest.approx(0.9)
    assert person["keypoints"]["nose"] == pytest.approx([28, 32, 0.7], abs=0.01)


def test_a_folder_with_one_onnx_file_is_a_model(places: dict[str, str]) -> None:
    target = places["out"] + ".json"
    flags = ("--det", "none", "--model", str(Path(places["rtmpose"]).parent), "--json", target)
    assert run_module(pose, places["image"], *flags) == 0
    assert json.loads(Path(target).read_text())[0]["people"][0]["keypoints"]["nose"] == pytest.approx([32, 32, 0.7], abs=0.01)


def test_detect_keeps_every_class(places: dict[str, str]) -> None:
    target = places["out"] + ".json"
    assert run_module(detect, places["image"], "--det", places["yolo"], "--json", target) == 0
    assert [(each["category_id"], each["bbox"]) for each in json.loads(Path(target).read_text())] == [
        (1, [16, 8, 24, 48]), (17, [16, 8, 24, 48]), (1, [0, 0, 9, 9])]  # fmt: skip
    with pytest.raises(ModelDirError, match="is a pose model"):
        run_module(detect, places["image"], "--det", places["rtmpose"])


@pytest.mark.parametrize("det", ["yolo", "boxes"])
def test_deployment_commands(places: dict[str, str], det: str) -> None:
    out = Path(places["out"])
    chosen = ("--image_file", places["image"], "--output_dir", str(out))
    models = ("--det_model_dir", places[det], "--keypoint_model_dir", places["rtmpose"])
    assert run_module(unite_command, *models, *chosen, "--save_res") == 0
    ((_, boxes, (keypoints, _)),) = json.loads((out / "det_keypoint_unite_image_results.json").read_text())
    assert boxes == [pytest.approx(BOX, abs=0.01)] and keypoints[0][0] == pytest.approx([28, 32, 0.7], abs=0.01)
    assert run_module(keypoint_command, "--model_dir", places["rtmpose"], *chosen, "--save_results") == 0
    if det == "yolo":
        assert run_module(detector_command, "--model_dir", places["yolo"], *chosen, "--save_results") == 0
        assert len(json.loads((out / "bbox.json").read_text())) == 3
