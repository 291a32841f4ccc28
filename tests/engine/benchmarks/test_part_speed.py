"""`ppdet benchmark parts`: what it prints. Nothing here looks at a clock."""

from __future__ import annotations

import numpy as np
import pytest

from ppdet.core.errors import ConfigError
from ppdet.engine.benchmarks import part_speed


def test_a_row_for_each_part_and_number_of_people() -> None:
    rows = list(part_speed.part_rows(repeats=1))
    assert all(len(row) == len(part_speed.HEADER) for row in rows)
    expected = {("decode heatmaps (DARK)", "1000"), ("OKS-NMS", "100"), ("draw on 1920x1080", "10")}
    assert {(row[0], row[1]) for row in rows} >= expected
    assert all(float(row[2]) > 0 for row in rows)


def test_the_people_are_of_the_stated_sizes() -> None:
    keypoints, boxes = part_speed.people(10, np.random.default_rng(3))
    assert (boxes[:, 3] - boxes[:, 1]).tolist() == pytest.approx(np.linspace(250, 600, 10))
    assert boxes.min() >= 0 and (boxes[:, 2:] <= part_speed.FRAME_WH).all() and keypoints.shape == (10, 17, 2)


def test_no_repeats_are_refused() -> None:
    with pytest.raises(ConfigError, match="from 1 on"):
        next(part_speed.part_rows(0))
