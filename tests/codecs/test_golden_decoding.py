"""deploy/golden: our decoding reproduces the files, and so does one written from README.md alone, without this package."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ppdet.codecs import HeatmapCodec
from ppdet.codecs.simcc import SimCCCodec
from ppdet.inference.estimators.box_decoding import classwise_rows, decode_raw_heads

GOLDEN = Path(__file__).resolve().parents[2] / "deploy" / "golden"


def golden(name: str) -> dict[str, Any]:
    return json.loads((GOLDEN / f"{name}.json").read_text())


def test_heatmaps() -> None:
    content = golden("heatmaps")
    maps = np.array(content["heatmap"], np.float32)
    assert len(content["cases"]) == 6
    for case in content["cases"]:
        codec = HeatmapCodec.from_dict(case["codec"])
        crop = codec.crop_for_boxes(np.array(content["boxes_xyxy"]), content["padding"])
        np.testing.assert_allclose(crop.matrix, case["image_to_input"], atol=1e-6)
        xy, scores = codec.decode(maps, crop)
        np.testing.assert_allclose(xy, case["xy_image"], atol=1e-3)
        np.testing.assert_allclose(scores, case["scores"], atol=1e-5)


def test_simcc() -> None:
    content = golden("simcc")
    codec = SimCCCodec.from_dict(content["codec"])
    crop = codec.crop_for_boxes(np.array(content["boxes_xyxy"]))
    xy, scores = codec.decode(tuple(np.array(content[name], np.float32) for name in ("simcc_x", "simcc_y")), crop)
    np.testing.assert_allclose(xy, content["xy_image"], atol=1e-3)
    np.testing.assert_allclose(scores, content["scores"], atol=1e-5)


def test_detector() -> None:
    content = golden("detector")
    raw, kept = content["raw_heads"], content["suppression"]
    arrays = [[np.array(each, np.float32) for each in raw[name]] for name in ("scores", "distances")]
    found = decode_raw_heads(*arrays, raw["strides"], tuple(raw["input_hw"]), raw["nms"])
    np.testing.assert_allclose(found.boxes_xyxy, raw["boxes_xyxy"], atol=1e-3)
    np.testing.assert_array_equal(found.labels, raw["labels"])
    boxes, scores = np.array(kept["boxes_xyxy"], np.float32), np.array(kept["scores"], np.float32)
    rows, labels = classwise_rows(boxes, scores, kept["nms"])
    assert rows.tolist() == kept["kept_rows"] and labels.tolist() == kept["kept_labels"] and len(rows) < scores.size


def test_the_readme_suffices_for_a_port() -> None:
    """The steps of deploy/golden/README.md in plain Python, for the decoders without a blur."""
    content = golden("heatmaps")
    checked = 0
    for case in content["cases"]:
        if case["codec"]["decoder"] not in ("argmax", "quarter"):
            continue
        for maps, matrix, truth in zip(content["heatmap"], case["image_to_input"], case["xy_image"]):
            for heat, expected in zip(maps, truth):
                assert ported(heat, matrix, case["codec"]) == pytest.approx(expected, abs=1e-3)
                checked += 1
    assert checked == 4 * 2 * 4


def ported(heat: list[list[float]], matrix: list[list[float]], codec: dict[str, Any]) -> list[float]:
    height, width = len(heat), len(heat[0])
    best = max(range(height * width), key=lambda cell: (heat[cell // width][cell % width], -cell))
    row, column = divmod(best, width)
    u, v = float(column), float(row)
    if codec["decoder"] == "quarter" and 1 <= column < width - 1 and 1 <= row < height - 1:
        right, below = heat[row][column + 1] - heat[row][column - 1], heat[row + 1][column] - heat[row - 1][column]
        u += 0.25 * ((right > 0) - (right < 0))
        v += 0.25 * ((below > 0) - (below < 0))
    (input_w, input_h), (cells_w, cells_h) = codec["input_wh"], codec["heatmap_wh"]
    if codec["grid"] == "unit":
        x, y = u * (input_w - 1) / (cells_w - 1), v * (input_h - 1) / (cells_h - 1)
    else:
        x, y = u * input_w / cells_w, v * input_h / cells_h
    (a, b, c), (d, e, f) = matrix
    determinant = a * e - b * d
    return [(e * (x - c) - b * (y - f)) / determinant, (a * (y - f) - d * (x - c)) / determinant]
