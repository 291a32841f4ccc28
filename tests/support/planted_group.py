"""A bottom-up network whose right answer is known, for tests of everything that runs models.

A planted crowd is an image: red holds a blob at every person's first keypoint, green at the second, and blue says whose part of
the image a pixel is. The planted network reads heat from red and green and tags from blue. Heat falls off a little to the right
and downwards, since pixels of 8 bits are often equal and two equal neighbours would be two peaks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping, Sequence

import numpy as np

from ppdet.codecs import AssociativeEmbeddingCodec
from ppdet.inference.model_card import ModelCard
from ppdet.inference.runtimes.base import Runtime
from ppdet.skeletons import Skeleton
from support.planted_models import NORMALIZE

SIDE = 128
BLUE_STEP = 50
TAG_GAIN = 255.0 / BLUE_STEP * 3  # neighbouring people's tags are 3 apart
SLOPE = 1e-5
SKELETON = Skeleton.from_dict(
    {
        "name": "planted2",
        "keypoints": [{"name": "left_hand", "mirror": "right_hand"}, {"name": "right_hand", "mirror": "left_hand"}],
        "links": [["left_hand", "right_hand"]],
    }
)


def bottom_up_codec(**changes: Any) -> AssociativeEmbeddingCodec:
    """The codec of the planted network."""
    return AssociativeEmbeddingCodec(**{"input_wh": (SIDE, SIDE), "detection_threshold": 0.3, "tag_threshold": 1.4, **changes})


def group_image(image_wh: Sequence[int], people: np.ndarray, sigma: float) -> np.ndarray:
    """(H, W, 3) RGB uint8 of people (P, 2, 2), image pixels."""
    xs, ys = np.meshgrid(np.arange(image_wh[0]), np.arange(image_wh[1]))
    pixels = np.zeros((image_wh[1], image_wh[0], 3))
    if not len(people):
        return pixels.astype(np.uint8)
    squared = (xs - people[..., 0, None, None]) ** 2 + (ys - people[..., 1, None, None]) ** 2  # (P, 2, H, W)
    pixels[..., :2] = np.exp(-squared / (2 * sigma**2)).max(axis=0).transpose(1, 2, 0) * 255
    pixels[..., 2] = squared.min(axis=1).argmin(axis=0) * BLUE_STEP
    return np.rint(pixels).astype(np.uint8)


class PlantedGroupRuntime(Runtime):
    """The planted network in numpy, with the candidates of the codec; `poison` is put into every heatmap."""

    engine = "planted"
    input_names = ("image",)
    description = "planted"

    def __init__(self, codec: AssociativeEmbeddingCodec, poison: float | None = None) -> None:
        self.codec, self.poison = codec, poison
        self.shapes: list[tuple[int, ...]] = []

    def run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Candidates of one image."""
        self.check_feeds(feeds)
        image = feeds["image"]
        assert image.dtype == np.float32 and image.flags["C_CONTIGUOUS"] and len(image) == 1
        self.shapes.append(image.shape)
        slope = np.add(*np.ogrid[: image.shape[2], : image.shape[3]]).astype(np.float32) * np.float32(SLOPE)
        tags = np.repeat(image[0, 2:, ..., None] * np.float32(TAG_GAIN), 2, axis=0)
        found = self.codec.candidates(image[0, :2] - slope, tags)
        arrays = [getattr(found, name)[None].copy() for name in found.__dataclass_fields__ if getattr(found, name) is not None]
        if self.poison is not None:
            arrays[0][..., 0] = self.poison
        return arrays


def bottom_up_card(**changes: Any) -> ModelCard:
    """The card of the planted network, as our exporter would write it."""
    codec = changes.pop("codec", bottom_up_codec())
    return ModelCard(
        **{
            "arch": "HigherHRNet",
            "preprocess": [{"type": "EvalAffine", "size": SIDE}, dict(NORMALIZE), {"type": "Permute"}],
            "metric": "COCO",
            "use_dynamic_shape": True,
            "codec": codec,
            "skeleton": SKELETON,
            "input_wh": (SIDE, SIDE),
            **changes,
        }
    )


def write_bottom_up_model(folder: Path) -> Path:
    """Write the planted network as `model.onnx` with its card; it does not refine and gives no offsets."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    folder.mkdir(parents=True, exist_ok=True)
    nodes = [
        helper.make_node("Split", ["image", "parts"], ["reds", "blue"], axis=1),
        helper.make_node("Shape", ["image"], ["shape"]),
        helper.make_node("Gather", ["shape", "two"], ["height"]),
        helper.make_node("Gather", ["shape", "three"], ["width"]),
        helper.make_node("Range", ["nought", "height", "one"], ["rows"]),
        helper.make_node("Range", ["nought", "width", "one"], ["columns"]),
        helper.make_node("Unsqueeze", ["rows", "last_row"], ["rows1"]),
        helper.make_node("Add", ["rows1", "columns"], ["steps"]),
        helper.make_node("Cast", ["steps"], ["steps_float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["steps_float", "slope"], ["fall"]),
        helper.make_node("Sub", ["reds", "fall"], ["heat"]),
        helper.make_node("MaxPool", ["heat"], ["peaks"], kernel_shape=[5, 5], pads=[2, 2, 2, 2]),
        helper.make_node("Equal", ["heat", "peaks"], ["is_peak"]),
        helper.make_node("Where", ["is_peak", "heat", "zero"], ["maxima"]),
        helper.make_node("Reshape", ["maxima", "flat_two"], ["flat"]),
        helper.make_node("TopK", ["flat", "count"], ["score", "place"], axis=2),
        helper.make_node("Mod", ["place", "width"], ["x"]),
        helper.make_node("Div", ["place", "width"], ["y"]),
        helper.make_node("Unsqueeze", ["x", "last"], ["x1"]),
        helper.make_node("Unsqueeze", ["y", "last"], ["y1"]),
        helper.make_node("Concat", ["x1", "y1"], ["xy_int"], axis=3),
        helper.make_node("Cast", ["xy_int"], ["xy"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["xy", "zero"], ["offset"]),
        helper.make_node("Concat", ["blue", "blue"], ["blues"], axis=1),
        helper.make_node("Reshape", ["blues", "flat_two"], ["flat_blue"]),
        helper.make_node("GatherElements", ["flat_blue", "place"], ["tag_flat"], axis=2),
        helper.make_node("Mul", ["tag_flat", "gain"], ["tag_scaled"]),
        helper.make_node("Unsqueeze", ["tag_scaled", "last"], ["tag"]),
    ]
    constants = {
        "parts": np.array([2, 1], np.int64),
        "zero": np.array(0, np.float32),
        "flat_two": np.array([0, 2, -1], np.int64),
        "count": np.array([30], np.int64),
        "nought": np.array(0, np.int64),
        "one": np.array(1, np.int64),
        "two": np.array(2, np.int64),
        "three": np.array(3, np.int64),
        "last_row": np.array([1], np.int64),
        "slope": np.array(SLOPE, np.float32),
        "last": np.array([3], np.int64),
        "gain": np.array(TAG_GAIN, np.float32),
    }
    result = [(name, ["N", 2, 30, *rest]) for name, rest in (("score", []), ("xy", [2]), ("offset", [2]), ("tag", [1]))]
    graph = helper.make_graph(
        nodes,
        "planted_group",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, "H", "W"])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in result],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(folder / "model.onnx"))
    bottom_up_card(codec=bottom_up_codec(refine=False)).write(folder)
    return folder
