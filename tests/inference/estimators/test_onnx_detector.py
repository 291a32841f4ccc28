"""ONNX detectors of other toolkits: a small network of each layout, recognised from the file, with boxes that are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
from support.onnx_networks import cells, write_network
from support.planted_models import sure_of

from ppdet.core.errors import ModelDirError
from ppdet.inference.estimators.onnx_detector import OnnxDetector
from ppdet.inference.estimators.registry import estimator_class, load_detector
from ppdet.inference.onnx_models import load_card
from ppdet.inference.runtimes import load_runtime

for package in ("onnx", "onnxruntime", "openvino"):
    pytest.importorskip(package)

INPUT = (64, 64)
#: in pixels of the network input, person, then a dog
BOXES = np.array([[8, 16, 24, 48], [32, 8, 56, 24]], np.float32)
SCORES = np.array([0.9, 0.75], np.float32)
LABELS = np.array([0, 1], np.int64)
NAMES = {0: "person", 1: "dog"}
CENTERS = np.concatenate([(BOXES[:, :2] + BOXES[:, 2:]) / 2, BOXES[:, 2:] - BOXES[:, :2]], axis=1)
#: an image twice as wide as high: letterboxes leave the upper and lower quarter (centred), or the lower half (corner)
IMAGE = np.full((64, 128, 3), 60, np.uint8)
ULTRALYTICS = {"author": "Ultralytics", "task": "detect", "stride": 32, "names": NAMES, "imgsz": [64, 64]}
CELLS = cells(INPUT, (8, 16, 32))


def one_hot(scores: np.ndarray = SCORES, labels: np.ndarray = LABELS, classes: int = 2) -> np.ndarray:
    table = np.zeros((len(scores), classes), np.float32)
    table[np.arange(len(scores)), labels] = scores
    return table


def filled(rows: np.ndarray, count: int) -> np.ndarray:
    """Rows among rows of zeros, not at the beginning."""
    table = np.zeros((count, rows.shape[1]), np.float32)
    table[3 : 3 + len(rows)] = rows
    return table


def near_copies(rows: np.ndarray) -> np.ndarray:
    """Each row, and the same a pixel to the right with half the score: NMS has to remove those."""
    copies = rows.copy()
    copies[:, 0] += 1
    copies[:, 4:] *= 0.5
    return np.concatenate([rows, copies])


def near_scores() -> np.ndarray:
    return np.concatenate([one_hot(), one_hot() / 2])


def v8() -> dict[str, np.ndarray]:
    rows = near_copies(np.concatenate([CENTERS, one_hot()], axis=1))
    return {"output0": filled(rows, len(CELLS)).T[None].copy()}


def v5(count: int, name: str) -> dict[str, np.ndarray]:
    rows = near_copies(np.concatenate([CENTERS, SCORES[:, None] / 0.95, one_hot(np.full(2, 0.95))], axis=1))
    rows[2:, 5:] *= 2  # objectness has halved the score
    return {name: filled(rows, count)[None]}


def yolox() -> dict[str, np.ndarray]:
    rows = np.zeros((len(CELLS), 7), np.float32)
    for box, score, label in zip(CENTERS, SCORES, LABELS):
        for cell, part in ((4, 1.0), (70, 0.5)):  # of stride 8, and the same box once more from one of stride 16
            x, y, stride = CELLS[cell + label]
            rows[cell + label, :2] = box[:2] / stride - (x, y)
            rows[cell + label, 2:4] = np.log(box[2:] / stride)
            rows[cell + label, 4], rows[cell + label, 5 + label] = score * part, 1.0
    return {"output": rows[None]}


def finished(class_first: bool = False, image: bool = False, centers: bool = False) -> np.ndarray:
    tail = [LABELS[:, None], SCORES[:, None]] if class_first else [SCORES[:, None], LABELS[:, None]]
    boxes = CENTERS / 64 if centers else BOXES
    return np.concatenate([*([np.zeros((2, 1))] if image else []), boxes, *tail], axis=1).astype(np.float32)


def distances(strides: tuple[int, ...], offset: float) -> tuple[np.ndarray, np.ndarray]:
    """Class scores and logits of the sides, from the cell of stride 8 at each box's centre."""
    grid = cells(INPUT, strides)
    scores, logits = np.zeros((len(grid), 2), np.float32), np.zeros((len(grid), 32), np.float32)
    for box, score, label in zip(BOXES, SCORES, LABELS):
        at = int(np.argmin([abs((x + offset) * s - box[[0, 2]].mean()) + abs((y + offset) * s - box[[1, 3]].mean())
                            if s == 8 else 999 for x, y, s in grid]))  # fmt: skip
        x, y = (grid[at][0] + offset) * 8, (grid[at][1] + offset) * 8
        sides = np.array([x - box[0], y - box[1], box[2] - x, box[3] - y]) / 8
        scores[at, label] = score
        logits[at] = split_bins(sides)
    return scores, logits


def distances_of_a_person() -> tuple[np.ndarray, np.ndarray]:
    scores, logits = distances((8, 16, 32, 64), 0)
    table = np.zeros((len(scores), 80), np.float32)
    table[:, :2] = scores
    return table, logits


def few_of_coco() -> dict[str, np.ndarray]:
    return {"output0": filled(np.concatenate([CENTERS, one_hot(classes=80)], axis=1), 100).T[None].copy()}


def split_bins(sides: np.ndarray) -> np.ndarray:
    """Logits of distributions with these means: two neighbouring bins share the weight."""
    logits = np.full((4, 8), -60.0, np.float32)
    for side, value in enumerate(sides):
        low = int(np.floor(value))
        part = value - low
        logits[side, low] = np.log(max(1 - part, 1e-30))
        if part:
            logits[side, low + 1] = np.log(part)
    return logits.ravel()


def picodet() -> dict[str, np.ndarray]:
    scores, logits = distances((8, 16, 32, 64), 0.5)
    edges = np.cumsum([64, 16, 4])
    parts = [*np.split(scores, edges), *np.split(logits, edges)]
    return {f"map_{i}": part[None].copy() for i, part in enumerate(parts)}


def padded(table: np.ndarray, value: float) -> np.ndarray:
    return np.concatenate([table, np.full((3, *table.shape[1:]), value, table.dtype)])[None]


def counted(*names: str) -> dict[str, np.ndarray]:
    values = [np.array([[2]], np.int64), padded(BOXES, -1), padded(SCORES, -1), padded(LABELS, -1)]
    return dict(zip(names, values))


def mmdeploy() -> dict[str, np.ndarray]:
    return {"dets": padded(np.concatenate([BOXES, SCORES[:, None]], axis=1), 0), "labels": padded(LABELS, -1)}


def logits_of(scores: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(scores, 1e-9) / np.maximum(1 - scores, 1e-9)).astype(np.float32)


def rfdetr(classes: int = 91) -> dict[str, np.ndarray]:
    table = logits_of(one_hot(labels=np.array([1, 18]), classes=classes))
    return {"dets": padded(CENTERS / 64, 0.5).astype(np.float32), "labels": padded(table, -30)}


def scale_factor() -> dict[str, Any]:
    return {"extra_inputs": {"scale_factor": (np.float32, [1, 2])}, "image": "image"}


Case = tuple[Callable[[], "dict[str, np.ndarray]"], "dict[str, Any]", str, str]
#: name -> outputs, arguments of the network, layout expected, resize rule expected
CASES: dict[str, Case] = {
    "ultralytics_raw": (v8, {"metadata": ULTRALYTICS}, "yolov8", "letterbox"),
    "ultralytics_raw_without_metadata": (v8, {}, "yolov8", "letterbox"),
    "ultralytics_nms": (lambda: {"output0": padded(finished(), 0)}, {"metadata": {**ULTRALYTICS, "args": {"nms": True}}},
                        "yolov8_nms", "letterbox"),
    "yolo26": (lambda: {"output0": padded(finished(), 0)}, {"metadata": {**ULTRALYTICS, "end2end": True}}, "yolov8_nms",
               "letterbox"),
    "yolo_nms_without_metadata": (lambda: {"output0": padded(finished(), 0)}, {}, "yolov8_nms", "letterbox"),
    "ultralytics_dynamic": (v8, {"metadata": ULTRALYTICS, "shapes": {
        "images": ["batch", 3, "height", "width"], "output0": ["batch", 6, "anchors"]}}, "yolov8", "letterbox"),
    "ultralytics_rtdetr": (lambda: {"output0": padded(finished(centers=True), 0)}, {"metadata": {
        **ULTRALYTICS, "description": "Ultralytics RT-DETR-l model"}}, "rtdetr_rows", "stretch"),
    "rtdetr_without_metadata": (lambda: {"output0": padded(finished(centers=True), 0)}, {}, "rtdetr_rows", "stretch"),
    "yolov5": (lambda: v5(3 * len(CELLS), "output0"), {"metadata": {"stride": 32, "names": NAMES}}, "yolov5", "letterbox"),
    "yolov7_grid": (lambda: v5(3 * len(CELLS), "output"), {}, "yolov5", "letterbox"),
    "yolov6": (lambda: v5(len(CELLS), "outputs"), {}, "yolov5", "letterbox"),
    "yolox": (yolox, {}, "yolox", "letterbox_corner"),
    "yolox_decoded": (lambda: v5(len(CELLS), "output"), {}, "yolov5", "letterbox_corner"),
    "yolov7_end2end": (lambda: {"output": finished(class_first=True, image=True)}, {}, "yolov7_nms", "letterbox"),
    "end2end": (lambda: counted("num_dets", "det_boxes", "det_scores", "det_classes"), {}, "end2end", "letterbox"),
    "rtmdet": (mmdeploy, {"image": "input"}, "mmdeploy", "letterbox_corner"),
    "rtmdet_dynamic": (mmdeploy, {"image": "input", "shapes": {"dets": ["n", "m", None], "labels": ["n", "m"]}}, "mmdeploy",
                       "letterbox_corner"),
    "mmdeploy_yolox": (mmdeploy, {"image": "input", "first_node": "Slice"}, "mmdeploy_yolox", "letterbox_corner"),
    "rtdetr": (lambda: {"labels": LABELS[None], "boxes": BOXES[None], "scores": SCORES[None]},
               {"extra_inputs": {"orig_target_sizes": (np.int64, [1, 2])}}, "rtdetr", "stretch"),
    "rfdetr": (rfdetr, {"image": "input"}, "rfdetr", "stretch"),
    "nanodet_plus": (lambda: {"output": np.concatenate(distances((8, 16, 32, 64), 0), axis=1)[None]}, {"image": "data"},
                     "nanodet", "stretch"),
    "nanodet": (lambda: {"output": np.concatenate(distances((8, 16, 32), 0.5), axis=1)[None]}, {"image": "data"},
                "nanodet_center", "stretch"),
    "nanodet_by_another_name": (lambda: {"dist": np.concatenate(distances_of_a_person(), axis=1)[None]}, {}, "nanodet",
                                "stretch"),
    "coco_with_few_candidates": (few_of_coco, {}, "yolov8", "letterbox"),
    "picodet_maps": (picodet, {"image": "image"}, "picodet", "stretch"),
    "picodet_nms": (lambda: {"nms.tmp_0": np.concatenate([LABELS[:, None], SCORES[:, None], BOXES], axis=1).astype(np.float32),
                             "nms.tmp_2": np.array([2], np.int32)}, scale_factor(), "paddle_boxes", "stretch"),
    "picodet_without_nms": (lambda: {"boxes": BOXES[None], "scores": one_hot().T[None].copy()}, scale_factor(), "boxes_scores",
                            "stretch"),
    "picodet_without_nms_and_scales": (lambda: {"boxes": near_copies(BOXES)[None], "scores": near_scores().T[None].copy()},
                                       {"image": "image"}, "boxes_scores", "stretch"),
    "yolo_nas": (lambda: counted("graph2_num_predictions", "graph2_pred_boxes", "graph2_pred_scores", "graph2_pred_classes"),
                 {"image": "input", "dtype": np.uint8}, "yolo_nas", "letterbox"),
    "yolo_nas_flat": (lambda: {"graph2_flat_predictions": finished(image=True)}, {"image": "input", "dtype": np.uint8},
                      "yolo_nas_flat", "letterbox"),
}  # fmt: skip


def in_image(resize: str, margin: int) -> np.ndarray:
    """BOXES in pixels of IMAGE, computed by hand."""
    if resize == "stretch":
        return BOXES * (2, 1, 2, 1)
    fit = 64 - margin  # the long side; the image becomes fit x fit / 2
    x, y = (0, 0) if resize == "letterbox_corner" else (margin // 2, 32 - fit // 4)
    return np.clip((BOXES - (x, y, x, y)) * (128 / fit), 0, (128, 64, 128, 64))


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("name", CASES)
def test_each_layout_is_recognised_and_its_boxes_come_back(tmp_path: Path, name: str, engine: str) -> None:
    outputs, arguments, layout, resize = CASES[name]
    path = write_network(tmp_path / "any.onnx", outputs(), INPUT, **arguments)
    card = load_card(path)
    detector = load_detector(load_runtime(path, engine=engine, cpu_threads=1), card)
    assert isinstance(detector, OnnxDetector) and estimator_class(card) is OnnxDetector
    assert detector.network.settings.layout == layout and detector.network.settings.resize == resize
    for found in detector.detect([IMAGE, IMAGE]):
        np.testing.assert_allclose(found.boxes_xyxy, in_image(resize, detector.network.settings.margin), atol=2e-3)
        np.testing.assert_allclose(found.scores, SCORES, atol=1e-5)
        np.testing.assert_array_equal(found.labels, [1, 18] if name == "rfdetr" else LABELS)
    assert np.isin(detector.person_label, [0, 1] if name == "rfdetr" else [0]).all()
    assert detector.person_label == (1 if name == "rfdetr" else detector.person_label)


def in_rows() -> np.ndarray:
    """(1, A, 4 + 80): as yolov8, the other way round."""
    return np.concatenate([v8()["output0"], np.zeros((1, 78, len(CELLS)), np.float32)], axis=1).transpose(0, 2, 1).copy()


@pytest.mark.parametrize("card", ["", "layout: yolov8\n"])
def test_rows_in_place_of_columns(tmp_path: Path, card: str) -> None:
    size = (128, 64)  # 168 cells, which are not 84 values
    table = np.zeros((1, 168, 84), np.float32)
    table[:, :84] = in_rows()
    path = write_network(tmp_path / "x.onnx", {"output0": table}, size)
    if card:
        path.with_suffix(".yml").write_text(card)
    found = load_detector(load_runtime(path), load_card(path)).detect([np.zeros((64, 128, 3), np.uint8)])[0]
    np.testing.assert_allclose(found.boxes_xyxy, BOXES, atol=1e-4)
    assert found.labels.tolist() == [0, 1]


def test_rows_in_place_of_columns_with_metadata(tmp_path: Path) -> None:
    metadata = {"task": "detect", "names": {0: "person", 1: "dog"}, "stride": 32, "imgsz": [64, 64]}
    path = write_network(tmp_path / "x.onnx", {"output0": v8()["output0"].transpose(0, 2, 1).copy()}, INPUT, metadata=metadata)
    card = load_card(path)
    found = load_detector(load_runtime(path), card).detect([IMAGE])[0]
    assert card.layout_settings.layout == "yolov8" and found.labels.tolist() == [0, 1]
    np.testing.assert_allclose(found.boxes_xyxy, in_image("letterbox", 0), atol=2e-3)


@pytest.mark.parametrize("labels", ["", "labels: [person, dog]\n"])
def test_masks_of_a_segmentation_model_are_no_classes(tmp_path: Path, labels: str) -> None:
    table = np.concatenate([v8()["output0"], np.full((1, 32, len(CELLS)), 5, np.float32)], axis=1)
    outputs = {"output0": table, "output1": np.zeros((1, 32, 16, 16), np.float32)}
    path = write_network(tmp_path / "x.onnx", outputs, INPUT)
    path.with_suffix(".yml").write_text(f"layout: yolov8\n{labels}")
    found = load_detector(load_runtime(path), load_card(path)).detect([IMAGE])[0]
    assert found.labels.tolist() == [0, 1]
    np.testing.assert_allclose(found.scores, SCORES, atol=1e-5)


@pytest.mark.parametrize(("shape", "card", "message"), [
    ((84, 168), "labels: [cat, dog]", "84 channels are not 4 and 2 classes"),
    ((84, 168), "layout: yolov5", "one column per cell is that of layout yolov8"),
    ((504, 85), "layout: yolov8", "three rows per cell are those of layout yolov5"),
    ((504, 85), "labels: [cat, dog]", "85 columns are not 5 and 2 classes"),
])  # fmt: skip
def test_a_card_that_contradicts_the_shape_is_refused(tmp_path: Path, shape: tuple[int, int], card: str, message: str) -> None:
    path = write_network(tmp_path / "x.onnx", {"output": np.zeros((1, *shape), np.float32)}, (128, 64))
    path.with_suffix(".yml").write_text(card)
    with pytest.raises(ModelDirError, match=message):
        load_detector(load_runtime(path), load_card(path))


def test_a_class_column_in_another_place_is_refused(tmp_path: Path) -> None:
    path = write_network(tmp_path / "x.onnx", {"output0": finished(class_first=True)[None]}, INPUT)
    with pytest.raises(ModelDirError, match="its sixth column holds no class numbers"):
        load_detector(load_runtime(path), load_card(path))


def test_what_a_detr_gives_under_a_softmax(tmp_path: Path) -> None:
    shares = np.array([[0.9, 0.05, 0.05], [0.05, 0.75, 0.2], [0.005, 0.005, 0.99]], np.float32)
    boxes = np.concatenate([CENTERS / 64, [[0.5, 0.5, 0.1, 0.1]]]).astype(np.float32)
    path = write_network(tmp_path / "detr.onnx", {"logits": np.log(shares)[None], "pred_boxes": boxes[None]}, INPUT)
    with pytest.raises(ModelDirError, match=r"sigmoid .* or a softmax .*cannot be seen"):
        load_card(path)
    (tmp_path / "detr.yml").write_text("layout: detr\nscore_threshold: 0.3\n")
    found = load_detector(load_runtime(path), load_card(path)).detect([IMAGE])[0]
    np.testing.assert_allclose(found.boxes_xyxy, BOXES * (2, 1, 2, 1), atol=1e-3)
    np.testing.assert_allclose(found.scores, SCORES, atol=1e-5)


def test_the_network_gets_what_the_card_says(tmp_path: Path) -> None:
    """A network whose one box is what it sees of the first pixel, channel by channel, and of the padding."""
    import onnx
    from onnx import helper, numpy_helper

    constants = {"starts": np.array([0, 0]), "ends": np.array([1, 1]), "axes": np.array([2, 3]), "flat": np.array([1, 1, 3]),
                 "tail": np.array([[[40, 0.9, 0]]], np.float32)}  # fmt: skip
    nodes = [helper.make_node("Slice", ["images", "starts", "ends", "axes"], ["pixel"]),
             helper.make_node("Reshape", ["pixel", "flat"], ["seen"]),
             helper.make_node("Concat", ["seen", "tail"], ["out"], axis=2)]  # fmt: skip
    graph = helper.make_graph(
        nodes, "first_pixel", [helper.make_tensor_value_info("images", onnx.TensorProto.FLOAT, [1, 3, 64, 64])],
        [helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, [1, 1, 6])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(tmp_path / "x.onnx"))
    stated = "layout: yolov8_nms\nchannels: bgr\nscale: 2\nmean: [5, 1, 2]\nstd: [1, 2, 4]\nresize: stretch\n"
    (tmp_path / "x.yml").write_text(stated)
    image = np.full((64, 64, 3), (60, 50, 40), np.uint8)
    detector = load_detector(load_runtime(tmp_path / "x.onnx"), load_card(tmp_path / "x.onnx"))
    found, _ = detector.network.candidates([image])[0]
    np.testing.assert_allclose(found.boxes[0, :3], [40 / 2 - 5, (50 / 2 - 1) / 2, (60 / 2 - 2) / 4], atol=1e-5)
    (tmp_path / "x.yml").write_text("layout: yolov8_nms\nscale: 1\npad_value: 7\n")  # the first pixel of a wide image is padding
    detector = load_detector(load_runtime(tmp_path / "x.onnx"), load_card(tmp_path / "x.onnx"))
    np.testing.assert_allclose(detector.network.candidates([IMAGE])[0][0].boxes[0, :3], 7)


def test_labels_and_classes_say_who_is_a_person(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_network(tmp_path / "any.onnx", v8(), INPUT)

    def detector(card: str) -> OnnxDetector:
        (tmp_path / "any.yml").write_text(card)
        found = load_detector(load_runtime(path), load_card(path))
        assert isinstance(found, OnnxDetector)
        return found

    assert detector("labels: [dog, person]").person_label == (1,)
    filtered = detector("labels: [person, dog]\nclasses: dog")
    assert filtered.person_label == (1,) and filtered.detect([IMAGE])[0].labels.tolist() == [1]
    assert detector("classes: [1]").detect([IMAGE])[0].labels.tolist() == [1]
    assert detector("labels: [person, dog]\nscore_threshold: 0.8").detect([IMAGE])[0].labels.tolist() == [0]
    assert detector("score_threshold: 0.1").person_label == 0
    assert caplog.text.count("names none of its 2 classes") == 1
    with pytest.raises(ModelDirError, match="finds cat, dog, none of which is called person"):
        assert detector("labels: [cat, dog]").person_label
    with pytest.raises(ModelDirError, match="classes have 'bird', and its labels are cat, dog"):
        detector("labels: [cat, dog]\nclasses: [bird]")
    with pytest.raises(ModelDirError, match="classes have 99, and there are 2 classes from 0 on"):
        detector("classes: [99]")
    with pytest.raises(ModelDirError, match="6 channels are not 4 and 3 classes"):
        detector("labels: [person, dog, bird]")


def test_crowds_empty_frames_and_boxes_beyond_the_image(tmp_path: Path) -> None:
    many = np.zeros((500, 6), np.float32)
    many[:, 0] = np.arange(500) % 25 * 2.5
    many[:, 1] = np.arange(500) // 25 * 1.5 + 16
    many[:, 2:4] = many[:, :2] + 2
    many[:, 4] = np.linspace(0.9, 0.5, 500)
    path = write_network(tmp_path / "crowd.onnx", {"output0": many[None]}, INPUT)
    (tmp_path / "crowd.yml").write_text("layout: yolov8_nms\nmax_boxes: 1000\n")
    assert len(load_detector(load_runtime(path), load_card(path)).detect([IMAGE])[0]) == 500
    (tmp_path / "crowd.yml").write_text("layout: yolov8_nms\n")
    kept = load_detector(load_runtime(path), load_card(path)).detect([IMAGE])[0]
    assert len(kept) == 300 and kept.scores[0] == np.float32(0.9)  # the best ones

    beyond = np.array([[-50, 10, 20, 40, 0.9, 0], [10, 60, 20, 64, 0.8, 0], [500, 10, 600, 40, 0.7, 0]], np.float32)
    path = write_network(tmp_path / "a" / "any.onnx", {"output0": beyond[None]}, INPUT)
    found = load_detector(load_runtime(path), load_card(path)).detect([IMAGE])[0]
    np.testing.assert_allclose(found.boxes_xyxy, [[0, 0, 40, 48]])  # clipped; the others lie in the padding or beyond

    path = write_network(tmp_path / "b" / "any.onnx", {"output0": np.zeros((1, 0, 6), np.float32)}, INPUT)
    (tmp_path / "b" / "any.yml").write_text("layout: yolov8_nms\n")
    assert len(load_detector(load_runtime(path), load_card(path)).detect([IMAGE])[0]) == 0


def test_half_precision_and_a_batch_that_is_fixed(tmp_path: Path) -> None:
    rows = finished()[None].astype(np.float16)
    path = write_network(tmp_path / "half.onnx", {"output0": rows}, INPUT, dtype=np.float16, metadata=ULTRALYTICS)
    found = load_detector(load_runtime(path), load_card(path)).detect([IMAGE])[0]
    np.testing.assert_allclose(found.boxes_xyxy, in_image("letterbox", 0))

    two = np.stack([finished(), finished()])
    two[1, :, 4] = 0  # the second image is only there to fill the batch
    path = write_network(tmp_path / "two.onnx", {"output0": two}, INPUT, metadata=ULTRALYTICS, shapes={"images": [2, 3, 64, 64]})
    detector = load_detector(load_runtime(path), load_card(path), batch_size=2)
    assert [len(each) for each in detector.detect([IMAGE] * 3)] == [2, 2, 2]


@pytest.mark.parametrize("broken", ["score", "box"])
def test_numbers_that_are_none_are_refused(tmp_path: Path, broken: str) -> None:
    rows = finished()
    rows[0, 4 if broken == "score" else 0] = np.nan
    path = write_network(tmp_path / "any.onnx", {"output0": padded(rows, 0)}, INPUT)
    with pytest.raises(ModelDirError, match="NaN|not finite"):
        load_detector(load_runtime(path), load_card(path))


def test_distributions_of_the_tests_are_right() -> None:
    np.testing.assert_allclose(np.exp(split_bins(np.array([1.0, 2, 3, 4]))).reshape(4, 8) @ np.arange(8), [1, 2, 3, 4], atol=1e-6)
    assert sure_of([1, 2, 3, 4]).shape == (32,)
