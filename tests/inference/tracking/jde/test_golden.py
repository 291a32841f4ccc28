"""The tracker gives PaddleDetection's identities and boxes on its own golden scene."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from support.golden_cases import golden_arrays

from ppdet.inference.tracking.jde import JdeSettings, JdeTracker

FAIRMOT = {"tracked_thresh": 0.4, "metric_type": "cosine", "min_box_area": 200.0, "vertical_ratio": 1.6, "conf_thres": 0.4}
CASES = {
    "fairmot": FAIRMOT,
    "byte": {"use_byte": True, "conf_thres": 0.6, "low_conf_thres": 0.1, "match_thres": 0.9},
    "byte_fairmot": {**FAIRMOT, "use_byte": True, "low_conf_thres": 0.2, "match_thres": 0.8},
}


def tracked(settings: JdeSettings, with_looks: bool) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Frame number from 1, rows [id, x, y, w, h, score] of everybody in sight, and who of them is large and upright."""
    scene = golden_arrays("jde_association")
    tracker = JdeTracker(settings, fps=30.0)
    for frame in range(110):
        of = scene["frame"] == frame
        dets = scene["dets"][of].astype(float)
        identities, boxes, scores = tracker.update(dets[:, 2:], dets[:, 1], scene["embs"][of] if with_looks else None)
        rows = np.column_stack([identities, boxes[:, :2], boxes[:, 2:] - boxes[:, :2], scores])
        yield frame + 1, rows, settings.shown(boxes)


def check(name: str, settings: JdeSettings, frames: int) -> None:
    expected = golden_arrays("jde_association")
    before: set[int] = set()
    ever: set[int] = set()
    for frame, rows, is_shown in tracked(settings, with_looks=name != "byte"):
        if frame > frames:
            break
        for found, kind in ((rows, "rows"), (rows[is_shown], "written")):
            truth = expected[f"{name}/{kind}"]
            truth = truth[truth[:, 0] == frame][:, 1:]
            assert found[:, 0].astype(int).tolist() == truth[:, 0].astype(int).tolist(), (frame, kind)
            np.testing.assert_allclose(found[:, 1:5], truth[:, 1:5], atol=1e-2)
            # PaddleDetection gives somebody who comes back the score of the last box before the gap.
            came_back = np.array([identity in ever - before for identity in found[:, 0].tolist()], bool)
            np.testing.assert_allclose(found[~came_back, 5], truth[~came_back, 5], atol=1e-6)
        before = set(rows[:, 0].tolist())
        ever |= before


@pytest.mark.parametrize("name", CASES)
def test_identities_and_boxes_of_all_frames(name: str) -> None:
    check(name, JdeSettings(**CASES[name], paddledet_exact=True), frames=110)


@pytest.mark.parametrize("name", CASES)
def test_only_an_identity_that_paddledetection_loses_by_mistake_differs(name: str) -> None:
    """Somebody comes back in frame 91, the last of the buffer, is missed in 95 and seen again in 96: there as somebody new."""
    check(name, JdeSettings(**CASES[name]), frames=95)
    frames = {frame: rows[:, 0].astype(int).tolist() for frame, rows, _ in tracked(JdeSettings(**CASES[name]), name != "byte")}
    truth = golden_arrays("jde_association")[f"{name}/rows"]
    (extra,) = set(frames[96]) - set(truth[truth[:, 0] == 96, 1].astype(int).tolist())
    assert extra in frames[91] and extra not in frames[90] and extra not in frames[95]
