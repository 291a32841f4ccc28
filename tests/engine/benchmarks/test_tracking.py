"""`ppdet benchmark track`: the rival rule is PaddleDetection's, and the tracker beats it and plain IoU on its scenes."""

from __future__ import annotations

import numpy as np
import pytest
from support.shared_data import shared

from ppdet.core.errors import ConfigError
from ppdet.engine.benchmarks import tracking
from ppdet.engine.benchmarks.track_rivals import PaddleDetByte
from ppdet.engine.benchmarks.track_scenes import SCENES, Scene, frames_of


def test_the_rival_is_paddledetections_byte_tracker() -> None:
    golden = np.load(shared("golden", "jde_association.npz"))
    tracker, rows = PaddleDetByte(max_time_lost=30), golden["byte/rows"]
    for frame in range(int(golden["frame"].max()) + 1):
        found = golden["dets"][golden["frame"] == frame].astype(float)
        identities, boxes = tracker.update(found[:, 2:], found[:, 1])
        expected = {int(row[1]): row[2:6] for row in rows[rows[:, 0] == frame + 1]}
        assert set(identities.tolist()) == set(expected)
        for identity, (x1, y1, x2, y2) in zip(identities.tolist(), boxes):
            np.testing.assert_allclose([x1, y1, x2 - x1, y2 - y1], expected[identity], atol=1e-3)


def test_scenes_are_the_same_every_time() -> None:
    scene = Scene("short", people=4, seconds=1.0, pillars=2, shake=0.1)
    for one, other in zip(frames_of(scene), frames_of(scene)):
        np.testing.assert_array_equal(one.boxes, other.boxes)
        np.testing.assert_array_equal(one.true_ids, other.true_ids)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_identities_last_longer_than_with_the_rivals(scene: Scene) -> None:
    short = Scene(**{**vars(scene), "seconds": 8.0})
    ((_, _, plain, plain_switches, paddledet, paddledet_switches, ours, switches),) = tracking.track_rows([short], seeds=1)
    assert float(ours) > max(float(plain), float(paddledet)) and int(switches) < min(int(plain_switches), int(paddledet_switches))


def test_times_have_a_row_per_crowd() -> None:
    rows = list(tracking.time_rows([2, 3]))
    assert [row[0] for row in rows] == ["2", "3"] and all(len(row) == len(tracking.TIME_HEADER) for row in rows)
    for bad in ([0], [5, -1]):
        with pytest.raises(ConfigError, match="from 1 on"):
            next(tracking.time_rows(bad))
    with pytest.raises(ConfigError, match="1 or more"):
        next(tracking.track_rows(seeds=0))
