"""Zones: who is inside, who comes and goes, in drawings, JSON, tables and commands; and zones that are none."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.planted_models import SKELETON, PlantedDetector, PlantedRuntime, planted_codec, planted_person, pose_card

from ppdet.core.errors import ConfigError
from ppdet.inference.estimators.top_down import TopDownEstimator
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.results import PoseResult, row_of
from ppdet.inference.tracking.stream import StreamTracker
from ppdet.inference.video.process import process_video
from ppdet.inference.zones.counter import ZoneCounter
from ppdet.inference.zones.reading import load_zones, zones_of_flags
from ppdet.inference.zones.zone import Zone

pytest.importorskip("shapely")

DOOR = Zone("door", ((100, 0), (200, 0), (200, 300), (100, 300)))


def boxes_at(*feet: float) -> np.ndarray:
    """Boxes of 40 x 80 whose feet are at x, 200."""
    return np.array([[x - 20, 120, x + 20, 200] for x in feet], float).reshape(-1, 4)


def test_feet_or_center_in_pixels_or_shares() -> None:
    boxes = boxes_at(50, 100, 150, 201)
    assert DOOR.contains(boxes, (400, 300)).tolist() == [False, True, True, False]
    shares = Zone("door", ((0.25, 0), (0.5, 0), (0.5, 1), (0.25, 1)))
    assert shares.contains(boxes, (400, 300)).tolist() == [False, True, True, False]
    assert shares.contains(boxes, (800, 300)).tolist() == [False, False, False, True]
    upper = ((0, 0), (400, 0), (400, 170), (0, 170))
    assert not Zone("up", upper).contains(boxes, (400, 300)).any()
    assert Zone("up", upper, "center").contains(boxes, (400, 300)).all()


def test_entries_and_exits_by_identity_and_trembling_is_neither() -> None:
    counter = ZoneCounter([DOOR])
    events = []
    for frame in range(40):
        walker = 40.0 + 6 * frame  # in at frame 10, out at frame 27
        trembler = 99.0 if frame % 2 else 101.0
        view = counter.update(np.array([1, 2, 3]), boxes_at(walker, trembler, 150), (400, 300))
        events += [(frame, event.id, event.event) for event in view.events]
    assert events == [(12, 1, "enter"), (29, 1, "leave")]
    (count,) = counter.counts()
    assert (count.entered, count.left, count.seen) == (1, 1, 3) and count.inside == 2
    counter.keep_only([1])
    assert counter.counts()[0].inside == 0 and counter.counts()[0].seen == 3


def result_of(boxes: np.ndarray) -> PoseResult:
    shape = (len(boxes), len(SKELETON.names))
    points = np.repeat(boxes[:, None, :2] + 20, shape[1], axis=1).astype(np.float32)
    return PoseResult(boxes.astype(np.float32), np.ones(len(boxes), np.float32), points, np.ones(shape, np.float32), SKELETON,
                      (400, 300))  # fmt: skip


def test_people_outside_are_followed_and_left_out() -> None:
    tracker = StreamTracker(SKELETON, zones=[DOOR])
    for frame in range(20):
        result = tracker.update(result_of(boxes_at(40.0 + 6 * frame, 300)))
    assert [person.id for person in result] == [1] and result[0].zones == ("door",)
    assert result.to_dict()["zones"] == {"door": {"entered": 1, "left": 0, "inside": 1, "seen": 1}}
    assert result[0].to_dict()["zones"] == ["door"] and row_of(result, 0)["zones"] == "door"
    assert tracker.persons == 1 and tracker.zone_counts["door"].entered == 1
    blank = np.zeros((300, 400, 3), np.uint8)
    assert result.draw(blank)[150, 200].any() and not blank.any()


@pytest.fixture
def pipeline() -> PosePipeline:
    estimator = TopDownEstimator(PlantedRuntime(), pose_card(codec=planted_codec()))
    left = Zone("left", ((0, 0), (96, 0), (96, 127), (0, 127)))
    return PosePipeline(PlantedDetector([[10, 10, 90, 110]]), estimator, zones=[left])


def test_poses_are_estimated_only_inside(pipeline: PosePipeline, tmp_path: Path) -> None:
    image = planted_person((96, 128), np.array([[30.0, 30], [20, 60], [60, 70]]), 5.0)
    result = pipeline(image)
    assert len(result) == 1 and result.to_dict()["zones"] == {"left": {"inside": 1}}
    clip = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, (96, 128))
    for _ in range(6):
        writer.write(image[..., ::-1])
    writer.release()
    report = process_video(pipeline, clip, tmp_path / "out.mp4", tmp_path / "out.json", "named")
    assert (report.persons, report.people, report.zones["left"].seen) == (1, 6, 1)
    assert "zone left: 1 persons, 0 entries, 0 exits, 1 inside" in report.zone_text()
    assert json.loads((tmp_path / "out.json").read_text())[-1]["zones"]["left"]["inside"] == 1

    pipeline.zones = (Zone("far", ((0, 0), (5, 0), (5, 5))),)
    pipeline.estimator.runtime = None  # the network does not run
    assert len(pipeline(image)) == 0 and process_video(pipeline, clip).people == 0
    assert len(pipeline.track(image)) == 0


def test_flags_and_files(tmp_path: Path) -> None:
    file = tmp_path / "zones.yml"
    file.write_text("zones:\n  stage: [[0, 0], [1, 0], [1, 1]]\n  pit: {points: [[0, 9], [9, 9], [9, 0]], anchor: center}\n")
    stage, pit = load_zones(file)
    assert stage.is_relative and (pit.anchor, pit.is_relative) == ("center", False)
    zones = zones_of_flags(["a:b:0,0,10,0,10,10.5", str(file)])
    assert [zone.name for zone in zones] == ["a:b", "stage", "pit"] and zones[0].points[2] == (10, 10.5)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("door", "--zone door: expected NAME:x,y"),
        (":0,0,1,0,1,1", "expected NAME"),
        ("door:0,0,1,1", "at least three corners"),
        ("door:0,0,1,0,1", "at least three corners"),
        ("door:0,0,x,0,1,1", "expected NAME"),
        ("door:0,0,10,10,10,0,0,10", "no simple polygon .Self-intersection"),
        ("door:0,0,10,10,20,20", "no simple polygon"),
        ("door:0,0,nan,10,20,20", "not finite"),
        ("missing.yml", "missing.yml"),
    ],
)
def test_mistakes(value: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        zones_of_flags([value])


def test_more_mistakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ConfigError, match="zone a is given more than once"):
        zones_of_flags(["a:0,0,9,0,9,9", "a:0,0,9,0,9,9"])
    file = tmp_path / "zones.yml"
    for text in ("zones: {a: [[0, 0], [1, 1]]}", "zones: {a: {points: [[0, 0], [1, 0], [1, 1]], anchor: nose}}", "zone: {}"):
        file.write_text(text)
        with pytest.raises(ConfigError, match="zones are written as"):
            load_zones(file)
    for _ in range(2):
        assert not Zone("off", ((500, 0), (600, 0), (600, 50))).contains(boxes_at(50), (400, 300)).any()
    assert caplog.text.count("zone off lies outside the image of 400 x 300") == 1
    monkeypatch.setattr("ppdet.geometry.polygons.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="needs Shapely.*pip install shapely"):
        zones_of_flags(["a:0,0,9,0,9,9"])
