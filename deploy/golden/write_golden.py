"""Writes deploy/golden/*.json again: python deploy/golden/write_golden.py

Each file holds the inputs and outputs of one decoding, so that a port in another language can check itself. See README.md there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ppdet.codecs import HeatmapCodec
from ppdet.codecs.simcc import SimCCCodec
from ppdet.geometry.crop import BOX_PADDING
from ppdet.inference.estimators.box_decoding import classwise_rows, decode_raw_heads

HERE = Path(__file__).resolve().parent
INPUT_WH, CELLS_WH = (96, 128), (24, 32)
BOXES = np.array([[40.0, 30.0, 90.0, 170.0], [12.5, 8.0, 200.0, 96.0]])
DECIMALS = 6


def gaussians(rng: np.random.Generator, people: int, keypoints: int) -> np.ndarray:
    """(people, keypoints, 32, 24) maps with a peak between cells each, one of them at the border, and one empty map."""
    width, height = CELLS_WH
    ys, xs = np.mgrid[:height, :width]
    maps = np.zeros((people, keypoints, height, width))
    for person in range(people):
        for keypoint in range(keypoints - 1):
            x, y = rng.uniform(2, width - 3), rng.uniform(2, height - 3)
            if keypoint == 0:
                x = 0.3
            maps[person, keypoint] = rng.uniform(0.3, 1) * np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / (2 * 1.5**2))
    return maps.round(DECIMALS)


def heatmaps() -> dict[str, Any]:
    """Heatmaps of two crops, by every decoder and both alignments of the crop."""
    maps = gaussians(np.random.default_rng(1), len(BOXES), 4)
    cases = []
    for alignment, grid in (("affine", "stride"), ("udp", "unit")):
        for decoder in ("argmax", "quarter", "dark"):
            codec = HeatmapCodec(input_wh=INPUT_WH, heatmap_wh=CELLS_WH, alignment=alignment, grid=grid, decoder=decoder)
            crop = codec.crop_for_boxes(BOXES)
            xy, scores = codec.decode(maps.astype(np.float32), crop)
            cases.append({"codec": codec.to_dict(), "image_to_input": crop.matrix, "xy_image": xy, "scores": scores})
    return {"boxes_xyxy": BOXES, "padding": BOX_PADDING, "heatmap": maps, "cases": cases}


def simcc() -> dict[str, Any]:
    """Classifications of both axes, of two crops."""
    rng = np.random.default_rng(2)
    codec = SimCCCodec(input_wh=INPUT_WH)
    widths = [2 * side for side in INPUT_WH]
    logits = [rng.normal(0, 1, (len(BOXES), 2, width)).round(DECIMALS) for width in widths]
    crop = codec.crop_for_boxes(BOXES)
    xy, scores = codec.decode(tuple(each.astype(np.float32) for each in logits), crop)
    given = {"boxes_xyxy": BOXES, "codec": codec.to_dict(), "simcc_x": logits[0], "simcc_y": logits[1]}
    return {**given, "image_to_input": crop.matrix, "xy_image": xy, "scores": scores}


def detector() -> dict[str, Any]:
    """PicoDet without post-processing: scores and distributions of two levels, and what suppression keeps."""
    rng = np.random.default_rng(3)
    size, strides, bins = (64, 48), (16, 32), 8
    cells = [-(-size[0] // stride) * -(-size[1] // stride) for stride in strides]
    scores = [rng.uniform(0, 1, (count, 2)).round(DECIMALS) for count in cells]
    distances = [rng.normal(0, 2, (count, 4 * bins)).round(DECIMALS) for count in cells]
    settings = {"score_threshold": 0.3, "nms_threshold": 0.5, "nms_top_k": 20, "keep_top_k": 10}
    floats = [[each.astype(np.float32) for each in levels] for levels in (scores, distances)]
    found = decode_raw_heads(floats[0], floats[1], strides, size, settings)
    boxes = np.sort(rng.uniform(0, 100, (12, 2, 2)), axis=1).reshape(12, 4).round(DECIMALS)
    boxes[6:9] = boxes[:3] + 1.5  # near copies, which suppression removes
    confidences = rng.uniform(0, 1, (12, 2)).round(DECIMALS)
    rows, labels = classwise_rows(boxes.astype(np.float32), confidences.astype(np.float32), settings)
    return {
        "raw_heads": {"input_hw": size, "strides": strides, "scores": scores, "distances": distances, "nms": settings,
                      "boxes_xyxy": found.boxes_xyxy, "box_scores": found.scores, "labels": found.labels},
        "suppression": {"boxes_xyxy": boxes, "scores": confidences, "nms": settings, "kept_rows": rows, "kept_labels": labels},
    }  # fmt: skip


def plain(value: Any) -> Any:
    """Arrays as lists."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, float):
        return round(value, 8)
    return value.item() if isinstance(value, np.generic) else value


GOLDEN = {"heatmaps": heatmaps, "simcc": simcc, "detector": detector}


def main() -> None:
    """Write all files."""
    for name, make in GOLDEN.items():
        path = HERE / f"{name}.json"
        path.write_text(json.dumps(plain(make())) + "\n", encoding="utf-8")
        print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
