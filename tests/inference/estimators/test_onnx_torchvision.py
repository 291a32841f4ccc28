"""ONNX detectors of torchvision: flat boxes, labels and scores of one image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.onnx_networks import write_network

from ppdet.core.errors import ModelDirError
from ppdet.inference.estimators.registry import load_detector
from ppdet.inference.onnx_models import load_card
from ppdet.inference.runtimes import load_runtime

for package in ("onnx", "onnxruntime", "openvino"):
    pytest.importorskip(package)

BOXES = np.array([[0, 0, 9, 9], [8, 16, 24, 48], [32, 8, 56, 24]], np.float32)
LABELS = np.array([0, 1, 18])  # background, person, dog of COCO
SCORES = np.array([0.95, 0.9, 0.75], np.float32)
IMAGE = np.full((64, 128, 3), 60, np.uint8)  # goes into 64 x 64 at half its size, at the top


def outputs(names: tuple[str, ...] = ("boxes", "labels", "scores"), count: int = 3) -> dict[str, np.ndarray]:
    found = {"boxes": BOXES[:count], "labels": LABELS[:count], "scores": SCORES[:count]}
    return {name: found[name] for name in names} if set(names) == set(found) else dict(zip(names, found.values()))


FIXED, DYNAMIC, LIST = [1, 3, 64, 64], ["n", 3, 64, 64], [3, 64, 64]
FASTER_RCNN, RETINANET = ("boxes", "labels", "scores"), ("boxes", "scores", "labels")
NAMELESS = ("2770", "2771", "2772")
UNFIXED: dict[str, list[Any]] = {"boxes": ["m", 4], "labels": ["m"], "scores": ["m"]}


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("image", [FIXED, DYNAMIC, LIST])
@pytest.mark.parametrize(("names", "shapes"), [(FASTER_RCNN, UNFIXED), (RETINANET, UNFIXED), (NAMELESS, {})])
def test_boxes_come_back(tmp_path: Path, engine: str, image: list[Any], names: tuple[str, ...], shapes: dict[str, Any]) -> None:
    path = write_network(tmp_path / "x.onnx", outputs(names), shapes={"images": image, **shapes})
    detector = load_detector(load_runtime(path, engine=engine, cpu_threads=1), load_card(path), batch_size=2)
    assert detector.network.settings.layout == "torchvision" and detector.person_label == 0
    for found in detector.detect([IMAGE, IMAGE]):
        np.testing.assert_allclose(found.boxes_xyxy, np.clip(BOXES[1:] * 2, 0, (128, 64, 128, 64)), atol=1e-3)
        np.testing.assert_allclose(found.scores, SCORES[1:], atol=1e-6)
        np.testing.assert_array_equal(found.labels, [0, 17])  # COCO's category ids, less one as everywhere


@pytest.mark.parametrize(("names", "doubts"), [(FASTER_RCNN, 0), (NAMELESS, 1)])
def test_without_names_a_warning_says_what_is_assumed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, names: tuple[str, ...], doubts: int
) -> None:
    load_card(write_network(tmp_path / "x.onnx", outputs(names)))
    assert sum("taken for torchvision (RGB from 0 to 1)" in line for line in caplog.messages) == doubts


def test_masks_are_ignored_and_nothing_may_be_found(tmp_path: Path) -> None:
    given = {**outputs(count=0), "masks": np.zeros((0, 1, 64, 64), np.float32)}
    path = write_network(tmp_path / "x.onnx", given, shapes={**UNFIXED, "masks": ["m", 1, 64, 64]})
    assert len(load_detector(load_runtime(path, engine="onnxruntime"), load_card(path)).detect([IMAGE])[0]) == 0


def test_labels_of_a_card_begin_after_the_background(tmp_path: Path) -> None:
    path = write_network(tmp_path / "x.onnx", outputs())
    path.with_suffix(".yml").write_text("labels: [mouse, tube]\nclasses: mouse\n")
    detector = load_detector(load_runtime(path), load_card(path))
    assert detector.person_label == (0,) and [found.labels.tolist() for found in detector.detect([IMAGE])] == [[0]]


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = write_network(tmp_path / "x.onnx", {**outputs(), "labels": LABELS[:2]})
    with pytest.raises(ModelDirError, match="boxes, labels and scores of the same number are expected"):
        load_detector(load_runtime(path), load_card(path))
    rows = np.array([[[8, 16, 24, 48, 0.9, 0]]], np.float32)
    path = write_network(tmp_path / "list.onnx", {"output0": rows}, shapes={"images": LIST})
    with pytest.raises(ModelDirError, match=r"takes a single image, which layout yolov8_nms does not; export it with an axis"):
        load_card(path)
