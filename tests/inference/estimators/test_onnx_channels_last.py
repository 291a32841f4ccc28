"""ONNX networks that take images as (N, H, W, 3), as those of TensorFlow: they see the same pixels as others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.onnx_networks import write_network

from ppdet.core.errors import ModelDirError
from ppdet.inference import PosePipeline
from ppdet.inference.estimators.registry import load_detector
from ppdet.inference.onnx_models import load_card
from ppdet.inference.runtimes import load_runtime

for package in ("onnx", "onnxruntime", "openvino"):
    pytest.importorskip(package)

ENGINES = ("onnxruntime", "openvino")
KEYPOINTS = 17
IMAGE = np.random.default_rng(3).integers(0, 256, (80, 80, 3), np.uint8)


def write_graph(
    path: Path, nodes: list[Any], constants: dict[str, Any], image: list[Any], out: list[Any], dtype: int = 1
) -> Path:
    """A network from `images` to `out`, of these shapes."""
    import onnx
    from onnx import helper, numpy_helper

    graph = helper.make_graph(
        nodes, "x", [helper.make_tensor_value_info("images", dtype, image)], [helper.make_tensor_value_info("out", 1, out)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(path))
    return path


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("dtype", "scale"), [(1, 255), (2, 1)])
@pytest.mark.parametrize("sides", [[1, 64, 48, 3], [None, 64, 48, 3], [1, None, None, 3]])
def test_a_detector_sees_the_pixels(tmp_path: Path, engine: str, dtype: int, scale: int, sides: list[Any]) -> None:
    """Its box is the colour of one pixel, row 5 of column 9."""
    from onnx import helper

    constants = {"from": np.array([5, 9]), "to": np.array([6, 10]), "axes": np.array([1, 2]), "flat": np.array([-1, 1, 3]),
                 "tail": np.array([[[400, 0.9, 0]]], np.float32)}  # fmt: skip
    nodes = [helper.make_node("Slice", ["images", "from", "to", "axes"], ["pixel"]),
             helper.make_node("Cast", ["pixel"], ["number"], to=1),
             helper.make_node("Reshape", ["number", "flat"], ["seen"]),
             helper.make_node("Concat", ["seen", "tail"], ["out"], axis=2)]  # fmt: skip
    path = write_graph(tmp_path / "x.onnx", nodes, constants, sides, [1, 1, 6], dtype)
    path.with_suffix(".yml").write_text("layout: yolov8_nms\nresize: stretch\ninput_wh: [48, 64]\n")
    detector = load_detector(load_runtime(path, engine=engine, cpu_threads=1), load_card(path))
    image = IMAGE[:64, :48]
    for found, _ in detector.network.candidates([image]):
        np.testing.assert_allclose(found.boxes[0, :3], image[5, 9] / scale, atol=1e-5)


def heatmap_network(path: Path, is_last: bool) -> Path:
    """Heatmaps are the means of 4 x 4 pixels, shifted along x from keypoint to keypoint."""
    from onnx import helper

    turn = [helper.make_node("Transpose", ["images"], ["planes"], perm=[0, 3, 1, 2])] if is_last else []
    weights = np.zeros((KEYPOINTS, 3, 4, 4), np.float32)
    for number in range(KEYPOINTS):
        weights[number, :, number % 4, number // 5] = 1
    given, made = ("planes", "maps") if is_last else ("images", "out")
    conv = helper.make_node("Conv", [given, "weights"], [made], strides=[4, 4])
    back = [helper.make_node("Transpose", ["maps"], ["out"], perm=[0, 2, 3, 1])] if is_last else []
    image, out = ([1, 64, 48, 3], [1, 16, 12, KEYPOINTS]) if is_last else ([1, 3, 64, 48], [1, KEYPOINTS, 16, 12])
    write_graph(path, [*turn, conv, *back], {"weights": weights}, image, out)
    path.with_suffix(".yml").write_text("layout: heatmap\ncodec: msra\n")
    return path


@pytest.mark.parametrize("engine", ENGINES)
def test_poses_are_those_of_the_network_with_channels_first(tmp_path: Path, engine: str) -> None:
    boxes = [[4, 20, 30, 44, 0.9], [10, 5, 58, 69, 0.9], [20, 20, 60, 60, 0.5]]
    results = []
    for is_last in (False, True):
        path = heatmap_network(tmp_path / f"{is_last}.onnx", is_last)
        results.append(PosePipeline(lambda image: boxes, path, engine=engine, cpu_threads=1, flip_test=True)(IMAGE))
    np.testing.assert_allclose(results[0].keypoints, results[1].keypoints, atol=1e-4)
    np.testing.assert_allclose(results[0].scores, results[1].scores, atol=1e-5)
    assert np.ptp(results[0].keypoints, axis=1).min() > 1, "keypoints lie in different places"


@pytest.mark.parametrize("shape", [(1, 16, 16, 16), (1, 17, 5, 9)])
def test_heatmaps_whose_order_cannot_be_seen_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = write_network(tmp_path / "x.onnx", {"maps": np.zeros(shape, np.float32)}, shapes={"images": [1, 64, 64, 3]})
    path.with_suffix(".yml").write_text("layout: heatmap\ncodec: msra\n")
    with pytest.raises(ModelDirError, match="cannot be seen: export both .* --inputs-as-nchw images --outputs-as-nchw maps"):
        load_card(path)
