"""Small models whose right answer is known, for tests of everything that runs models.

A planted person is an image with one Gaussian blob in each colour channel; keypoint k is the blob of channel k. The planted
pose network samples every fourth pixel of the normalised image, channel by channel, so its heatmaps are those blobs on the
stride grid. The planted detector finds one box, the whole image, if anything in it is bright.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping, Sequence

import numpy as np

from ppdet.codecs import HeatmapCodec
from ppdet.inference.estimators.detections import Detections
from ppdet.inference.model_card import ModelCard
from ppdet.inference.runtimes.base import Runtime
from ppdet.skeletons import Skeleton

INPUT_WH = (48, 64)
SKELETON = Skeleton.from_dict(
    {
        "name": "planted3",
        "keypoints": [
            {"name": "nose"},
            {"name": "left_hand", "mirror": "right_hand"},
            {"name": "right_hand", "mirror": "left_hand"},
        ],
        "links": [["nose", "left_hand"], ["nose", "right_hand"]],
    }
)
NORMALIZE = {"type": "NormalizeImage", "is_scale": True, "mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0]}


def planted_codec(**changes: Any) -> HeatmapCodec:
    """The codec of the planted pose network; sigma is what a blob of 8 input pixels becomes."""
    return HeatmapCodec(**{"input_wh": INPUT_WH, "heatmap_wh": (12, 16), "sigma": 2.0, "decoder": "dark", **changes})


def planted_person(image_wh: Sequence[int], points: np.ndarray, sigma: float) -> np.ndarray:
    """(H, W, 3) RGB uint8 with a blob at points[k] (image pixels) in channel k."""
    xs, ys = np.arange(image_wh[0]), np.arange(image_wh[1])
    channels = [
        np.exp(-((ys - y) ** 2) / (2 * sigma**2))[:, None] * np.exp(-((xs - x) ** 2) / (2 * sigma**2))[None]
        for x, y in np.asarray(points, float)
    ]
    return np.rint(np.stack(channels, axis=2) * 255).astype(np.uint8)


def sure_of(distances: Sequence[int], bins: int = 8) -> np.ndarray:
    """(4 R,) PicoDet logits that put all their weight on whole distances."""
    logits = np.full((4, bins), -50.0, np.float32)
    logits[np.arange(4), list(distances)] = 50.0
    return logits.ravel()


class PlantedRuntime(Runtime):
    """The planted pose network in numpy; `channels` repeats the colours for networks of more keypoints."""

    engine = "planted"
    input_names = ("image",)
    description = "planted"

    def __init__(self, channels: int = 3, stride: int = 4, fixed_batch: int | None = None) -> None:
        self.channels, self.stride, self.fixed_batch = channels, stride, fixed_batch
        self.batches: list[int] = []

    def run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Sample every `stride`-th pixel."""
        self.check_feeds(feeds)
        image = feeds["image"]
        assert image.dtype == np.float32 and image.flags["C_CONTIGUOUS"]
        if self.fixed_batch:
            assert len(image) == self.fixed_batch
        self.batches.append(len(image))
        heatmap = image[:, np.arange(self.channels) % 3, :: self.stride, :: self.stride]
        return [heatmap, np.argmax(heatmap.reshape(*heatmap.shape[:2], -1), axis=2)]


class PlantedDetector:
    """Stands in for a BoxDetector: the given boxes where an image is bright, none where it is dark."""

    person_label = 0

    def __init__(self, boxes: Sequence[Sequence[float]], labels: Sequence[int] | None = None, score: float = 0.9) -> None:
        self.boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
        self.labels = np.zeros(len(self.boxes), np.int64) if labels is None else np.asarray(labels)
        self.score = score

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        """The planted boxes for each bright image."""
        found = []
        for image in images:
            count = len(self.boxes) if image.max() > 100 else 0
            found.append(
                Detections.from_rows(self.boxes[:count], np.full(count, self.score, np.float32), self.labels[:count])
            )
        return found


def pose_card(**changes: Any) -> ModelCard:
    """The card of the planted pose network, as our exporter would write it."""
    codec = changes.pop("codec", planted_codec())
    return ModelCard(
        arch="HRNet",
        preprocess=[{"type": "TopDownEvalAffine", "trainsize": list(INPUT_WH)}, dict(NORMALIZE), {"type": "Permute"}],
        metric="KeyPointTopDownCOCOEval",
        codec=codec,
        skeleton=changes.pop("skeleton", SKELETON),
        input_wh=INPUT_WH,
        heatmap_wh=(12, 16),
        **changes,
    )


def write_pose_model(folder: Path, channels: int = 3, batch: int | str = "N", card: ModelCard | None = None) -> Path:
    """Write the planted pose network as `model.onnx` with its card."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    folder.mkdir(parents=True, exist_ok=True)
    weights = np.zeros((channels, 3, 1, 1), np.float32)
    weights[np.arange(channels), np.arange(channels) % 3] = 1.0
    width, height = INPUT_WH
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "weights"], ["heatmap"], kernel_shape=[1, 1], strides=[4, 4])],
        "planted_pose",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [batch, 3, height, width])],
        [helper.make_tensor_value_info("heatmap", TensorProto.FLOAT, [batch, channels, height // 4, width // 4])],
        [numpy_helper.from_array(weights, "weights")],
    )
    onnx.save(_model(graph), str(folder / "model.onnx"))
    (card or pose_card()).write(folder)
    return folder


def write_detector(folder: Path) -> Path:
    """Write the planted detector, with its NMS inside, as `model.onnx` with its card."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    folder.mkdir(parents=True, exist_ok=True)
    nodes = [
        helper.make_node("Gather", ["scale_factor", "yx_to_xyxy"], ["scale_xyxy"], axis=1),
        helper.make_node("Div", ["network_box", "scale_xyxy"], ["box"]),
        helper.make_node("Concat", ["label_score", "box"], ["rows"], axis=1),
        helper.make_node("ReduceMax", ["image"], ["brightest"], keepdims=0),
        helper.make_node("Greater", ["brightest", "half"], ["is_bright"]),
        helper.make_node("Cast", ["is_bright"], ["count"], to=TensorProto.INT32),
        helper.make_node("Reshape", ["count", "one"], ["counts"]),
    ]
    constants = {
        "yx_to_xyxy": np.array([1, 0, 1, 0], np.int64),
        "network_box": np.array([[0, 0, 64, 64]], np.float32),
        "label_score": np.array([[0, 0.9]], np.float32),
        "half": np.array(0.4, np.float32),
        "one": np.array([1], np.int64),
    }
    graph = helper.make_graph(
        nodes,
        "planted_detector",
        [
            helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 64, 64]),
            helper.make_tensor_value_info("scale_factor", TensorProto.FLOAT, [1, 2]),
        ],
        [
            helper.make_tensor_value_info("rows", TensorProto.FLOAT, [1, 6]),
            helper.make_tensor_value_info("counts", TensorProto.INT32, [1]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    onnx.save(_model(graph), str(folder / "model.onnx"))
    resize = {"type": "Resize", "interp": 2, "keep_ratio": False, "target_size": [64, 64]}
    ModelCard(arch="GFL", preprocess=[resize, dict(NORMALIZE), {"type": "Permute"}], metric="COCO", label_list=["person"]).write(
        folder
    )
    return folder


def _model(graph: Any) -> Any:
    from onnx import helper

    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
