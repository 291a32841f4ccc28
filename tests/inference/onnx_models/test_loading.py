"""Cards of ONNX files: where they are found, what they may say, and what is refused with the card to write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.onnx_networks import write_network
from support.planted_models import write_pose_model

from ppdet.core.errors import ModelDirError
from ppdet.inference import ModelCard, PosePipeline
from ppdet.inference.estimators.registry import load_detector
from ppdet.inference.onnx_models import LAYOUTS, OnnxModelCard, load_card
from ppdet.inference.runtimes import load_runtime

for package in ("onnx", "onnxruntime"):
    pytest.importorskip(package)

ROWS = {"output0": np.zeros((1, 300, 6), np.float32)}


def network(path: Path, outputs: dict[str, np.ndarray] | None = None, **more: Any) -> Path:
    return write_network(path, outputs or ROWS, **more)


def settings_of(place: Path) -> Any:
    card = load_card(place)
    assert isinstance(card, OnnxModelCard)
    return card.layout_settings


@pytest.mark.parametrize("name", ["x.yml", "x.yaml", "detector.yml", "model.yml", "infer_cfg.yml"])
def test_where_a_card_may_lie(tmp_path: Path, name: str) -> None:
    path = network(tmp_path / "x.onnx")
    (tmp_path / name).write_text("layout: yolov8_nms\nscore_threshold: 0.4\n")
    assert settings_of(path).score_threshold == settings_of(tmp_path).score_threshold == 0.4
    assert load_card(path).place == str(path)


def test_general_names_count_only_if_there_is_one_network(tmp_path: Path) -> None:
    path = network(tmp_path / "x.onnx")
    (tmp_path / "detector.yml").write_text("score_threshold: 0.4\n")
    (tmp_path / "pose.yml").write_text("padding: 1\n")
    with pytest.raises(ModelDirError, match=r"several cards .*detector.yml, pose.yml"):
        load_card(path)
    network(tmp_path / "y.onnx")
    assert settings_of(path).score_threshold == 0.0
    with pytest.raises(ModelDirError, match=r"2 ONNX files \(x.onnx, y.onnx\): give the path of one"):
        load_card(tmp_path)


def test_an_exported_directory_is_read_as_before(tmp_path: Path) -> None:
    write_pose_model(tmp_path / "pose")
    for place in (tmp_path / "pose", tmp_path / "pose" / "model.onnx"):
        card = load_card(place)
        assert type(card) is ModelCard and card.arch == "HRNet" and card.model_dir == tmp_path / "pose"
    assert PosePipeline(None, tmp_path / "pose" / "model.onnx").skeleton.name == "planted3"


@pytest.mark.parametrize(("outputs", "more", "message"), [
    ({"output0": np.zeros((1, 84, 25), np.float32)}, {}, "YOLOX .*of YOLOv6 .*NanoDet"),
    ({"a": np.zeros((1, 10), np.float32)}, {}, "fit no layout"),
    ({"a": np.zeros((1, 3, 8, 8, 85), np.float32), "b": np.zeros((1, 3, 4, 4, 85), np.float32)}, {}, "raw maps of several lev"),
    ({"a": np.zeros((1, 255, 8, 8), np.float32), "b": np.zeros((1, 255, 4, 4), np.float32)}, {}, "raw maps of several levels"),
    ({"a": np.zeros((1, 17, 2), np.float32)}, {}, "fit no layout"),
    ({"logits": np.zeros((1, 9, 91), np.float32), "pred_boxes": np.zeros((1, 9, 4), np.float32)}, {}, "(?s)DETR.*layout: rfdetr\n"
     ".*resize: stretch\n"),
    ({"a": np.zeros((1, 17, 16, 16), np.float32)}, {}, "(?s)heatmaps.*layout: heatmap\n.*codec: msra\n"),
    ({"a": np.zeros((1, 84, 4), np.float32), "b": np.zeros((1, 84, 2), np.float32)}, {}, "PaddleDetection or of YOLO-NAS"),
    ({"output0": np.zeros((1, 1000), np.float32)}, {"metadata": {"task": "classify", "names": "{0: 'cat'}"}}, "'classify'"),
    ({"output0": np.zeros((1, 9, 84), np.float32)}, {"metadata": {"task": "detect", "names": "{0: 'cat'}"}},
     "1 classes and 0 further values per box, and its output output0"),
    (ROWS, {"shapes": {"images": ["n", 3, "h", "w"]}}, r"fixes no input size .*write input_wh: \[width, height\] into x.yml"),
    (ROWS, {"shapes": {"images": [1, 1, 64, 64]}}, "takes no images of three channels"),
    (ROWS, {"shapes": {"images": [1, 64, 64, 4]}}, r"takes no images of three channels, \(N, 3, H, W\), \(N, H, W, 3\) or"),
    (ROWS, {"metadata": {"task": "pose", "names": "{0: 'a'}", "kpt_shape": "17"}}, "kpt_shape is '17'"),
])  # fmt: skip
def test_what_is_not_clear_is_refused_with_what_was_seen(
    tmp_path: Path, outputs: dict[str, np.ndarray], more: dict[str, Any], message: str
) -> None:
    path = network(tmp_path / "x.onnx", outputs, **more)
    with pytest.raises(ModelDirError, match=message) as caught:
        load_card(path)
    assert str(path) in str(caught.value)
    if "Layouts" in str(caught.value):
        assert "inputs images (" in str(caught.value) and "x.yml" in str(caught.value)
        assert all(name in str(caught.value) for name in LAYOUTS)


@pytest.mark.parametrize(("card", "message"), [
    ("layout: yolo", r"x.yml: the card.layout is 'yolo', expected 'yolov8' or"),
    ("resise: stretch", "unknown key 'resise'; known are layout, input_wh"),
    ("input_wh: [640, 640]", r"says input_wh \[640, 640\], and the network x.onnx takes \[64, 64\]"),
    ("std: [1, 0, 1]", r"std\[1\] is 0"),
    ("- 1", "expected a mapping"),
    ("a: [", "does not read as YAML"),
    ("layout: !Spec {}", "plain data"),
    ("skeleton: octopus", "unknown name 'octopus'"),
    ("labels: {person: 0}", "the card.labels has the key 'person', expected a whole number"),
    ("labels: {0: [person]}", r"the card.labels\[0\] is \['person'\], expected a text"),
    ("labels: {99999999: person}", "the key 99999999, expected a whole number from 0 to 100000"),
])  # fmt: skip
def test_cards_with_mistakes(tmp_path: Path, card: str, message: str) -> None:
    network(tmp_path / "x.onnx")
    (tmp_path / "x.yml").write_text(card)
    with pytest.raises(ModelDirError, match=message):
        load_card(tmp_path / "x.onnx")


@pytest.mark.parametrize("layout", [name for name, each in LAYOUTS.items() if each.kind == "onnx_detection"])
def test_a_card_that_contradicts_its_network_is_refused(tmp_path: Path, layout: str) -> None:
    path = network(tmp_path / "x.onnx", {"out": np.ones((1, 7, 3, 2), np.float32)})
    (tmp_path / "x.yml").write_text(f"layout: {layout}\n")
    with pytest.raises(ModelDirError, match=f"x.onnx: the outputs do not fit layout {layout} .*gives out \\(1, 7, 3, 2\\)"):
        load_detector(load_runtime(path), load_card(path))


def test_a_stated_size_serves_a_network_of_any_size(tmp_path: Path) -> None:
    path = network(tmp_path / "x.onnx", shapes={"images": ["n", 3, "h", "w"]})
    (tmp_path / "x.yml").write_text("input_wh: [96, 32]\nlayout: yolov8_nms\n")
    detector = load_detector(load_runtime(path), load_card(path))
    assert detector.network.settings.input_wh == (96, 32) and len(detector.detect([np.zeros((9, 9, 3), np.uint8)] * 3)) == 3


@pytest.mark.parametrize("labels", ["{0: cat, 2: dog}", "{'0': cat, '2': dog}", "[cat, '1', dog]"])
def test_labels_by_number_or_in_order(tmp_path: Path, labels: str) -> None:
    path = network(tmp_path / "x.onnx", ROWS)
    (tmp_path / "x.yml").write_text(f"labels: {labels}\nclasses: dog\n")
    card = load_card(path)
    assert list(card.label_list) == ["cat", "1", "dog"]
    assert load_detector(load_runtime(path), card).person_label == (2,)


def test_a_network_of_whole_pixels_normalises_them_itself(tmp_path: Path) -> None:
    path = network(tmp_path / "x.onnx", ROWS, dtype=np.uint8)
    pixels = np.arange(64 * 64 * 3, dtype=np.uint8).reshape(1, 64, 64, 3)
    planes = load_card(path).layout_settings.normalization.planes(pixels)
    np.testing.assert_array_equal(planes, pixels.transpose(0, 3, 1, 2))  # and not 0 and 1, as `scale` 255 would leave
    (tmp_path / "x.yml").write_text("scale: 1\n")
    load_card(path)
    (tmp_path / "x.yml").write_text("scale: 255\nmean: [0, 0, 0]\n")
    with pytest.raises(ModelDirError, match="x.yml states scale, and the network x.onnx takes whole pixels from 0 to 255"):
        load_card(path)


def test_inputs_that_nobody_can_give(tmp_path: Path) -> None:
    path = network(tmp_path / "x.onnx", extra_inputs={"prompt": (np.int64, [1, 4])})
    with pytest.raises(ModelDirError, match=r"wants the input prompt \(1, 4\) int64"):
        load_detector(load_runtime(path), load_card(path))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelDirError, match="there is no file .*nowhere.onnx"):
        load_card(tmp_path / "nowhere.onnx")
