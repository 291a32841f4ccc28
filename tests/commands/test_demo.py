"""The demo finds the rendered person and her joints, and names files that are there."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.shared_data import shared

from ppdet.core.errors import PpdetError
from ppdet.visualize.mannequin import walking_clip


@pytest.mark.slow
def test_demo_from_weights_to_pictures(tmp_path: Path) -> None:
    from ppdet.commands.demo import run_demo

    written = run_demo(str(shared("data", "weights")), str(tmp_path))
    assert {p.suffix for p in written} == {".mp4", ".json", ".png"}
    assert all(p.stat().st_size > 1000 for p in written)
    frames = json.loads(next(p for p in written if p.suffix == ".json").read_text())
    truth = [xy for _, xy in walking_clip()]
    assert len(frames) == len(truth)
    assert all(len(frame["people"]) == 1 for frame in frames)
    found = np.array([list(frame["people"][0]["keypoints"].values()) for frame in frames])[..., :2]
    assert np.linalg.norm(found - truth, axis=2).mean() < 10


def test_missing_weights_are_named(tmp_path: Path) -> None:
    from ppdet.commands.demo import run_demo

    with pytest.raises(PpdetError, match="picodet_s_320_lcnet_pedestrian"):
        run_demo(str(tmp_path / "nothing"), str(tmp_path / "out"))


def test_rendered_joints_lie_on_the_figure() -> None:
    frame, xy = next(walking_clip(3))
    height, width = frame.shape[:2]
    assert ((xy >= 0) & (xy < [width, height])).all()
    wall = cv2.cvtColor(frame, cv2.COLOR_RGB2HSV)[40, 40]
    for x, y in xy[5:].round().astype(int):
        assert np.abs(cv2.cvtColor(frame, cv2.COLOR_RGB2HSV)[y, x].astype(int) - wall).max() > 20
