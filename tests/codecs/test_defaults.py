"""The defaults of the codecs, which cards and configs leave out: a change of one changes every model that relies on it."""

from __future__ import annotations

from math import sqrt
from typing import Any

import pytest

from ppdet.codecs import AssociativeEmbeddingCodec, HeatmapCodec
from ppdet.codecs.simcc import SimCCCodec


def test_heatmap() -> None:
    assert HeatmapCodec((96, 128)).to_dict() == {
        "name": "HeatmapCodec", "input_wh": [96, 128], "heatmap_wh": [24, 32], "sigma": 2.0, "target": "subpixel",
        "window": False, "grid": "stride", "alignment": "affine", "decoder": "dark", "blur_kernel": 3, "beta": 100.0,
        "flip_shift": None, "paddledet_exact": False,
    }  # fmt: skip


def test_simcc() -> None:
    """Sigma is the root of an eighth of the side: 4.9 and 5.66 bins at RTMPose's 192 x 256."""
    found = SimCCCodec((96, 128)).to_dict()
    assert [round(value, 9) for value in found.pop("sigma")] == [round(2 * sqrt(3), 9), 4.0]
    assert found == {
        "name": "SimCCCodec", "input_wh": [96, 128], "split_ratio": 2.0, "target": "subpixel", "normalize": False,
        "alignment": "affine", "decoder": "subpixel", "flip_shift": None,
    }  # fmt: skip


def test_associative_embedding() -> None:
    assert AssociativeEmbeddingCodec().to_dict() == {
        "name": "AssociativeEmbeddingCodec", "input_wh": [512, 512], "strides": [4, 2], "sigma": 2.0, "max_people": 30,
        "detection_threshold": 0.1, "tag_threshold": 1.0, "joint_order": None, "matching": "bounded", "ignore_too_much": False,
        "adjust": True, "refine": True, "refine_cell": 4, "size_divisor": 64, "paddledet_exact": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "largest", "more"),
    [
        ("input_wh", [8192, 8192], [8192, 8193]), ("strides", [1024], [1025]), ("strides", [1] * 8, [1] * 9),
        ("sigma", 1000, 1001), ("max_people", 10_000, 10_001), ("detection_threshold", 1000, 1001), ("refine_cell", 1024, 1025),
        ("size_divisor", 4096, 4097), ("joint_order", [10_000], [10_001]),
    ],
)  # fmt: skip
def test_cards_ask_for_no_more_than_this(key: str, largest: Any, more: Any) -> None:
    """Cards come from strangers, and these numbers decide how much memory is taken."""
    rule = AssociativeEmbeddingCodec.content_rule
    assert list(rule({key: largest}, "codec")) == [] and f"codec.{key}" in " ".join(rule({key: more}, "codec"))


@pytest.mark.parametrize(
    ("key", "smallest", "less"),
    [
        ("input_wh", [1, 1], [1, 0]), ("strides", [1], [0]), ("strides", [1], []), ("sigma", 0.001, 0.0009), ("max_people", 1, 0),
        ("detection_threshold", 0, -0.1), ("tag_threshold", 0, -0.1), ("refine_cell", 1, 0), ("size_divisor", 1, 0),
        ("joint_order", [0], [-1]),
    ],
)  # fmt: skip
def test_and_for_no_less(key: str, smallest: Any, less: Any) -> None:
    rule = AssociativeEmbeddingCodec.content_rule
    assert list(rule({key: smallest}, "codec")) == [] and f"codec.{key}" in " ".join(rule({key: less}, "codec"))
