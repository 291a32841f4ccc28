"""ONNX pose models of other toolkits: one-stage networks and top-down networks with keypoints that are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
from support.onnx_networks import write_network

from ppdet.codecs import HeatmapCodec
from ppdet.core.errors import ConfigError, ModelDirError
from ppdet.inference import PosePipeline
from ppdet.inference.onnx_models import load_card
from ppdet.skeletons import get_skeleton

for package in ("onnx", "onnxruntime", "openvino"):
    pytest.importorskip(package)

COCO = get_skeleton("coco17")
RNG = np.random.default_rng(7)
BOXES = np.array([[4, 20, 30, 44], [32, 18, 60, 46]], np.float32)
SCORES = np.array([0.9, 0.6], np.float32)
POINTS = (BOXES[:, None, :2] + RNG.random((2, 17, 2), np.float32) * (BOXES[:, None, 2:] - BOXES[:, None, :2])).astype(np.float32)
SURE = RNG.uniform(0.3, 1, (2, 17)).astype(np.float32)
IMAGE = np.full((64, 128, 3), 60, np.uint8)  # letterboxed into 64 x 64: half the size, 16 rows of padding above if centred
CENTERS = np.concatenate([(BOXES[:, :2] + BOXES[:, 2:]) / 2, BOXES[:, 2:] - BOXES[:, :2]], axis=1)
POSE_META = {"author": "Ultralytics", "task": "pose", "names": {0: "person"}, "kpt_shape": [17, 3], "imgsz": [64, 64]}


def keypoint_values(size: int = 3) -> np.ndarray:
    values = np.concatenate([POINTS, SURE[..., None]], axis=2)[..., :size]
    return values.reshape(2, -1)


def columns(size: int = 3) -> dict[str, np.ndarray]:
    """(1, 4 + 1 + D K, A), with each person twice, a pixel apart."""
    rows = np.concatenate([CENTERS, SCORES[:, None], keypoint_values(size)], axis=1)
    again = rows.copy()
    again[:, 0] += 1
    again[:, 4] *= 0.5
    table = np.zeros((84, rows.shape[1]), np.float32)
    table[10:14] = np.concatenate([again, rows])
    return {"output0": table.T[None].copy()}


def rows_after_nms() -> dict[str, np.ndarray]:
    rows = np.concatenate([BOXES, SCORES[:, None], np.zeros((2, 1)), keypoint_values()], axis=1)
    return {"output0": np.concatenate([rows, np.zeros((3, 57))])[None].astype(np.float32)}


def yolov7() -> dict[str, np.ndarray]:
    rows = np.concatenate([CENTERS, SCORES[:, None] / 0.95, np.full((2, 1), 0.95), keypoint_values()], axis=1)
    table = np.zeros((3 * 84, 57), np.float32)
    table[5:7] = rows
    return {"output": table[None]}


def padded(table: np.ndarray) -> np.ndarray:
    return np.concatenate([table, np.zeros((2, *table.shape[1:]))])[None].astype(np.float32)


def rtmo() -> dict[str, np.ndarray]:
    return {"dets": padded(np.concatenate([BOXES, SCORES[:, None]], axis=1)),
            "keypoints": padded(np.concatenate([POINTS, SURE[..., None]], axis=2))}  # fmt: skip


def yolo_nas() -> dict[str, np.ndarray]:
    return {"graph2_num_predictions": np.array([[2]], np.int64), "graph2_post_nms_boxes": padded(BOXES),
            "graph2_post_nms_scores": padded(SCORES),
            "graph2_post_nms_joints": padded(np.concatenate([POINTS, SURE[..., None]], 2))}  # fmt: skip


ONE_STAGE: dict[str, tuple[Callable[[], dict[str, np.ndarray]], dict[str, Any], int]] = {
    "yolo_pose": (columns, {"metadata": POSE_META}, 16),
    "yolo_pose_without_metadata": (columns, {}, 16),
    "yolo_pose_without_visibility": (lambda: columns(2), {"metadata": {**POSE_META, "kpt_shape": [17, 2]}}, 16),
    "yolo_pose_nms": (rows_after_nms, {"metadata": {**POSE_META, "end2end": True}}, 16),
    "yolo_pose_nms_without_metadata": (rows_after_nms, {}, 16),
    "yolov7_pose": (yolov7, {}, 16),
    "rtmo": (rtmo, {"image": "input"}, 0),
    "yolo_nas_pose": (yolo_nas, {"image": "input", "dtype": np.uint8}, 0),
}


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("name", ONE_STAGE)
def test_one_stage_models_give_their_people(tmp_path: Path, name: str, engine: str) -> None:
    outputs, arguments, above = ONE_STAGE[name]
    path = write_network(tmp_path / "any.onnx", outputs(), (64, 64), **arguments)
    pipeline = PosePipeline(keypoint=path, engine=engine, cpu_threads=1)
    assert pipeline.detector is None and pipeline.skeleton.name == "coco17"
    result = pipeline(IMAGE)
    np.testing.assert_allclose(result.keypoints, (POINTS - (0, above)) * 2, atol=1e-3)
    np.testing.assert_allclose(result.keypoint_scores if hasattr(result, "keypoint_scores") else result.scores,
                               1.0 if "visibility" in name else SURE, atol=1e-6)  # fmt: skip
    np.testing.assert_allclose(result.boxes, np.clip((BOXES - (0, above) * 2) * 2, 0, (128, 64, 128, 64)), atol=1e-3)
    np.testing.assert_allclose(result.box_scores, SCORES, atol=1e-6)


def test_a_one_stage_model_takes_no_detector_and_is_none(tmp_path: Path) -> None:
    path = write_network(tmp_path / "any.onnx", rtmo(), (64, 64), image="input")
    pose = write_network(tmp_path / "pose.onnx", simcc(np.zeros((17, 2), int), (48, 64)), (48, 64), image="input")
    with pytest.raises(ModelDirError, match="takes no boxes from a detector"):
        PosePipeline(lambda image: [], path)
    with pytest.raises(ModelDirError, match="is no detector for others"):
        PosePipeline(path, pose)
    with pytest.raises(ConfigError, match="flip_test"):
        PosePipeline(None, path, flip_test=True)
    (tmp_path / "any.yml").write_text("skeleton: mpii16\n")
    with pytest.raises(ModelDirError, match="16 keypoints, the network gives 17"):
        PosePipeline(None, path)


def simcc(bins: np.ndarray, input_wh: tuple[int, int], ratio: int = 2) -> dict[str, np.ndarray]:
    """Responses with their highest value at the bins (K, 2), x and y of different heights."""
    found = {}
    for axis, name in enumerate(("simcc_x", "simcc_y")):
        table = np.zeros((1, len(bins), input_wh[axis] * ratio), np.float32)
        table[0, np.arange(len(bins)), bins[:, axis]] = 0.5 + axis / 4
        found[name] = table
    return found


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.uint8])
def test_a_top_down_network_of_another_type_of_numbers(tmp_path: Path, dtype: type, engine: str) -> None:
    bins = RNG.integers(0, (96, 128), (17, 2))
    results = []
    for name, kind in (("plain", np.float32), ("other", dtype)):
        pose = write_network(tmp_path / f"{name}.onnx", simcc(bins, (48, 64)), (48, 64), image="input", dtype=kind)
        results.append(PosePipeline(lambda image: [[4, 20, 30, 44]], pose, engine=engine, cpu_threads=1)(IMAGE))
    np.testing.assert_array_equal(results[0].keypoints, results[1].keypoints)


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_simcc_in_the_boxes_of_a_yolo(tmp_path: Path, engine: str) -> None:
    """RTMPose: bins are half pixels of a crop of 1.25 times the box, at the input's aspect."""
    input_wh = (48, 64)
    bins = RNG.integers(0, (96, 128), (17, 2))
    pose = write_network(tmp_path / "rtmpose.onnx", simcc(bins, input_wh), input_wh, image="input")
    rows = np.concatenate([BOXES, SCORES[:, None], [[0], [0]]], axis=1)[None].astype(np.float32)
    detector = write_network(tmp_path / "yolo.onnx", {"output0": rows}, (64, 64))
    result = PosePipeline(detector, pose, engine=engine, cpu_threads=1)(IMAGE)
    np.testing.assert_allclose(result.box_scores, SCORES, atol=1e-6)
    np.testing.assert_allclose(result.scores, 0.5, atol=1e-6)  # the smaller of both
    for box, keypoints in zip(result.boxes, result.keypoints):
        width, height = box[2:] - box[:2]
        width = max(width, height * 48 / 64) * 1.25
        size, center = np.array([width, width * 64 / 48]), (box[:2] + box[2:]) / 2
        np.testing.assert_allclose(keypoints, bins / (96, 128) * size + center - size / 2, atol=1e-3)
    assert result.skeleton.name == "coco17"


@pytest.mark.parametrize("names", [("simcc_y", "simcc_x"), ("out", "out2")])
def test_axes_by_name_or_by_their_bins(tmp_path: Path, names: tuple[str, str]) -> None:
    """The input is square for the named ones: nothing else tells x from y."""
    size = (64, 64) if "simcc_x" in names else (48, 64)
    bins = RNG.integers(0, [2 * side for side in size], (17, 2))
    x, y = simcc(bins, size).values()
    outputs = {"simcc_y": y, "simcc_x": x} if "simcc_x" in names else dict(zip(names, (x, y)))
    path = write_network(tmp_path / "pose.onnx", outputs, size, image="input")
    pipeline = PosePipeline(lambda image: [[0, 0, *(side / 1.25 for side in size), 0.9]], path)
    middle = np.array(size) / 2 - np.array(size) / 2.5
    np.testing.assert_allclose(pipeline(IMAGE).keypoints[0], bins / 2 - middle, atol=1e-3)


def test_the_card_of_a_top_down_model(tmp_path: Path) -> None:
    bins = RNG.integers(0, (96, 128), (3, 2))
    path = write_network(tmp_path / "pose" / "end2end.onnx", simcc(bins, (48, 64)), (48, 64), image="input")
    skeleton = "{keypoints: [{name: nose}, {name: tail}, {name: ear}]}"
    (path.parent / "pose.yml").write_text(f"padding: 1.0\nskeleton: {skeleton}\nchannels: bgr\nmean: [1, 2, 3]\n")
    pipeline = PosePipeline(lambda image: [[10, 10, 34, 42, 0.9]], path.parent)  # the folder does, too
    np.testing.assert_allclose(pipeline(IMAGE).keypoints[0], bins / 4 + 10, atol=1e-3)  # 24 x 32 pixels: no padding, aspect kept
    assert pipeline.skeleton.names == ("nose", "tail", "ear")
    card = load_card(path)
    seen = card.operation("NormalizeImage")
    assert seen is not None and (seen["mean"], seen["std"]) == ([1, 2, 3], [58.395, 57.12, 57.375])
    assert seen["to_bgr"] and not seen["is_scale"]


def heatmaps(points: np.ndarray, codec: HeatmapCodec) -> np.ndarray:
    return codec.encode(points[None], np.ones((1, len(points))))[0]


@pytest.mark.parametrize(("codec", "settings", "tolerance"), [
    ("udp", {"alignment": "udp", "grid": "unit"}, 0.05),
    ("msra", {"alignment": "affine", "grid": "stride"}, 1.1),
    ("dark", {"alignment": "affine", "grid": "stride"}, 0.05),
])  # fmt: skip
def test_heatmaps_of_each_codec(tmp_path: Path, codec: str, settings: dict[str, str], tolerance: float) -> None:
    input_wh = (96, 128)
    points = RNG.uniform((20, 20), (76, 108), (17, 2))
    maps = heatmaps(points, HeatmapCodec(input_wh, **settings))  # type: ignore[arg-type]
    path = write_network(tmp_path / "hrnet.onnx", {"output": maps}, input_wh, image="input")
    with pytest.raises(ModelDirError, match="codec cannot be seen.*`codec: udp`"):
        load_card(path)
    path.with_suffix(".yml").write_text(f"layout: heatmap\ncodec: {codec}\npadding: 1\n")
    box = [10, 5, 58, 69]  # half the input
    keypoints = PosePipeline(lambda image: box and [box], path)(np.zeros((80, 80, 3), np.uint8)).keypoints[0]
    scale = (48 / 95, 64 / 127) if codec == "udp" else (0.5, 0.5)
    center = (47.5, 63.5) if codec == "udp" else (48, 64)
    np.testing.assert_allclose(keypoints, (points - center) * scale + (34, 37), atol=tolerance)


def test_easy_vitpose_is_recognised(tmp_path: Path) -> None:
    maps = heatmaps(RNG.uniform((20, 20), (76, 108), (17, 2)), HeatmapCodec((96, 128), alignment="udp", grid="unit"))
    path = write_network(tmp_path / "vitpose-b.onnx", {"output_0": maps}, (96, 128), image="input_0")
    codec = load_card(path).codec
    assert isinstance(codec, HeatmapCodec) and (codec.alignment, codec.grid, codec.blur_kernel) == ("udp", "unit", 11)
    assert codec.heatmap_wh == (24, 32)


def test_cards_that_contradict_a_pose_network(tmp_path: Path) -> None:
    bins = RNG.integers(0, (96, 128), (17, 2))
    path = write_network(tmp_path / "a.onnx", simcc(bins, (48, 64)), (48, 64), image="input")
    path.with_suffix(".yml").write_text("layout: heatmap\ncodec: udp\n")
    with pytest.raises(ModelDirError, match="expected heatmap of 4 axes"):
        PosePipeline(None, path)
    path.with_suffix(".yml").write_text("codec: {split_ratio: 3}\n")
    with pytest.raises(ModelDirError, match="they are not of one export"):
        PosePipeline(None, path)
    other = write_network(tmp_path / "b.onnx", {**simcc(bins, (48, 64)), "simcc_y": np.zeros((1, 17, 64), np.float32)}, (48, 64))
    with pytest.raises(ModelDirError, match="not the same number per pixel"):
        load_card(other)
    points = write_network(tmp_path / "c.onnx", {"simcc_x": np.zeros((1, 17, 2), np.float32),
                                                 "simcc_y": np.zeros((1, 17), np.float32)}, (48, 64))  # fmt: skip
    with pytest.raises(ModelDirError, match="export it without post-processing"):
        load_card(points)
