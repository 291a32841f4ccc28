"""A small "FairMOT" whose right answer is known: the brightest spot of each colour is a person, and the colour its look.

Its rows come sorted by score, so that a person's row changes from frame to frame.
"""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import cv2
import numpy as np

from ppdet.inference.model_card import ModelCard
from support.planted_models import NORMALIZE

INPUT_WH = (128, 96)
HALF_WH = (12.0, 16.0)
TRACKER = {"conf_thres": 0.4, "tracked_thresh": 0.4, "metric_type": "cosine", "min_box_area": 200.0, "vertical_ratio": 1.6}


def write_fairmot(folder: Path, tracker: Optional[dict] = None, drop_looks: bool = False) -> Path:
    """Write the network as `model.onnx`, with a card as PaddleDetection writes it."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    folder.mkdir(parents=True, exist_ok=True)
    width, height = INPUT_WH
    make = helper.make_node
    nodes = [
        make("Reshape", ["image", "by_colour"], ["pixels"]),
        make("ReduceMax", ["pixels"], ["brightest"], axes=[1], keepdims=0),
        make("ArgMax", ["pixels"], ["place"], axis=1, keepdims=0),
        make("Div", ["place", "width"], ["row"]),
        make("Mod", ["place", "width"], ["column"]),
        make("Unsqueeze", ["row", "last"], ["y"]),
        make("Unsqueeze", ["column", "last"], ["x"]),
        make("Concat", ["x", "y", "x", "y"], ["corners_whole"], axis=1),
        make("Cast", ["corners_whole"], ["centres"], to=TensorProto.FLOAT),
        make("Add", ["centres", "reach"], ["in_input"]),
        make("Gather", ["im_shape", "yx_to_xyxy"], ["content"], axis=1),
        make("Sub", ["whole", "content"], ["padding"]),
        make("Mul", ["padding", "half"], ["offset"]),
        make("Sub", ["in_input", "offset"], ["in_content"]),
        make("Gather", ["scale_factor", "yx_to_xyxy"], ["factors"], axis=1),
        make("Div", ["in_content", "factors"], ["boxes"]),
        make("Unsqueeze", ["brightest", "last"], ["scores"]),
        make("Concat", ["labels", "scores", "boxes"], ["rows"], axis=1),
        make("TopK", ["brightest", "three"], ["sorted", "order"], axis=0),
        make("Gather", ["rows", "order"], ["pred_dets"], axis=0),
        make("Gather", ["colours", "order"], ["pred_embs"], axis=0),
    ]
    constants = {
        "by_colour": np.array([3, width * height], np.int64), "width": np.array(width, np.int64), "last": np.array([1], np.int64),
        "reach": np.array([[-HALF_WH[0], -HALF_WH[1], HALF_WH[0], HALF_WH[1]]], np.float32) + 0.5,
        "yx_to_xyxy": np.array([1, 0, 1, 0], np.int64), "whole": np.array([[width, height, width, height]], np.float32),
        "half": np.array(0.5, np.float32), "labels": np.zeros((3, 1), np.float32), "three": np.array([3], np.int64),
        "colours": np.eye(3, 8, dtype=np.float32),
    }  # fmt: skip
    sizes = {"image": [1, 3, height, width], "im_shape": [1, 2], "scale_factor": [1, 2]}
    outputs = {"pred_dets": [3, 6]} if drop_looks else {"pred_dets": [3, 6], "pred_embs": [3, 8]}
    graph = helper.make_graph(
        nodes, "planted_fairmot",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, size) for name, size in sizes.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, size) for name, size in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, str(folder / "model.onnx"))
    steps = [{"type": "LetterBoxResize", "target_size": [height, width]}, dict(NORMALIZE), {"type": "Permute"}]
    card = ModelCard(arch="FairMOT", preprocess=steps, metric="MOT", label_list=["pedestrian"], min_subgraph_size=5)
    card.extra["tracker"] = TRACKER if tracker is None else tracker
    card.write(folder)
    return folder


def crossing(frame: int, frames: int = 20) -> np.ndarray:
    """(96, 128, 3) RGB uint8: somebody red walks from left to right, somebody blue from right to left; now one is brighter, now
    the other."""
    ys, xs = np.mgrid[:96, :128]
    image = np.zeros((96, 128, 3))
    for colour, x, bright in ((0, red_x(frame), 255 - 40 * (frame % 2)), (2, 127 - red_x(frame), 220)):
        image[..., colour] = bright * np.exp(-((xs - x) ** 2 + (ys - 48) ** 2) / (2 * 5.0**2))
    return np.rint(image).astype(np.uint8)


def write_crossing(path: Path, frames: int) -> Path:
    """A video of `crossing`."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, INPUT_WH)
    for frame in range(frames):
        writer.write(np.ascontiguousarray(crossing(frame)[..., ::-1]))
    writer.release()
    return path


def red_x(frame: int) -> float:
    """Where the red one is."""
    return 20.0 + 4.5 * frame
