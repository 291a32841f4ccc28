"""`ppdet benchmark parts`: what it prints. Nothing here looks at a clock."""

from __future__ import annotations

import numpy as np
import pytest

from ppdet.codecs import HeatmapCodec
from ppdet.core.errors import ConfigError
from ppdet.engine.benchmarks import part_speed


def test_a_row_for_each_part_and_number_of_people() -> None:
    rows = list(part_speed.part_rows(repeats=1))
    assert all(len(row) == len(part_speed.HEADER) for row in rows)
    assert {(row[0], row[1]) for row in rows} >= {("decode heatmaps (DARK)", "1000"), ("OKS-NMS", "100"), ("draw on 1920x1080", "10")}
    assert all(float(row[2]) > 0 for row in rows)


def test_the_people_are_of_the_stated_sizes_and_their_maps_decode_to_them() -> None:
    rng = np.random.default_rng(3)
    keypoints, boxes = part_speed.people(10, rng)
    assert (boxes[:, 3] - boxes[:, 1]).tolist() == pytest.approx(np.linspace(250, 600, 10))
    assert boxes.min() >= 0 and (boxes[:, 2:] <= part_speed.FRAME_WH).all() and keypoints.shape == (10, 17, 2)
    codec = HeatmapCodec(input_wh=(96, 128), heatmap_wh=(24, 32), sigma=1.0, decoder="dark")
    _, scores = codec.decode(part_speed._maps(codec, 10, rng), codec.crop_for_boxes(boxes))
    assert scores.min() > 0.7


def test_no_repeats_are_refused() -> None:
    with pytest.raises(ConfigError, match="from 1 on"):
        next(part_speed.part_rows(0))
