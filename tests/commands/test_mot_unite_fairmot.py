"""mot_keypoint_unite_infer.py and pipelines with an exported FairMOT: its identities, and poses by identity."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.command_runs import run_module
from support.planted_fairmot import crossing, red_x, write_crossing, write_fairmot
from support.planted_models import write_pose_model

from ppdet.commands.deployed import mot_unite
from ppdet.commands.running import batch, pose
from ppdet.core.errors import ConfigError, ModelDirError
from ppdet.image.io import write_image
from ppdet.inference import PosePipeline, PoseResult, TrackerSettings
from ppdet.inference.video.ahead import looks_ahead
from ppdet.inference.zones.zone import Zone

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
FRAMES = 20
RED, BLUE = "nose", "right_hand"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("models")
    return {"mot": str(write_fairmot(folder / "mot")), "kpt": str(write_pose_model(folder / "kpt"))}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_crossing(tmp_path_factory.mktemp("clip") / "cross.avi", FRAMES)


def command(out: Path, *words: object) -> int:
    return run_module(mot_unite, *map(str, words), "--output_dir", str(out), "--engine", "onnxruntime")


def test_poses_follow_identities_through_a_crossing(models: dict[str, str], clip: Path, tmp_path: Path) -> None:
    flags = ("--mot_model_dir", models["mot"], "--keypoint_model_dir", models["kpt"], "--video_file", clip)
    assert command(tmp_path, *flags, "--save_res", "--save_mot_txts", "--json_layout", "named") == 0
    frames = json.loads((tmp_path / "mot_keypoint_unite_video_results.json").read_text())
    assert len(frames) == FRAMES
    first = {person["id"]: person for person in frames[0]["people"]}
    red = min(first, key=lambda identity: first[identity]["box"][0])
    for number, frame in enumerate(frames):
        people = {person["id"]: person for person in frame["people"]}
        assert set(people) == {1, 2}, number
        assert abs(people[red]["keypoints"][RED][0] - red_x(number)) < 2, number
        assert abs(people[3 - red]["keypoints"][BLUE][0] - (127 - red_x(number))) < 2, number
    order = [[person["id"] for person in frame["people"]] for frame in frames]
    assert len((tmp_path / "cross.txt").read_text().splitlines()) == 2 * FRAMES and order



def test_a_batch_gives_the_settings_to_the_tracker_of_the_model(models: dict[str, str], clip: Path, tmp_path: Path) -> None:
    """No box reaches a score of 1, so that nobody is followed; the tracker of poses would have followed everybody."""
    file = tmp_path / "tracker.yml"
    flags = [str(clip), "--det", models["mot"], "--model", models["kpt"], "--runtime", "onnxruntime", "--workers", "1"]
    counts = {}
    for name, text in (("own", None), ("strict", "type: JDETracker\nJDETracker: {conf_thres: 1.0, tracked_thresh: 1.0}\n")):
        more = []
        if text is not None:
            file.write_text(text)
            more = ["--tracker_config", str(file)]
        assert run_module(batch, *flags, "--output", str(tmp_path / name), *more) == 0
        (written,) = (path for path in (tmp_path / name).glob("*.jsonl") if path.name != "journal.jsonl")
        counts[name] = [len(json.loads(line)["people"]) for line in written.read_text().splitlines()]
    assert len(counts["own"]) == len(counts["strict"]) == FRAMES
    assert sum(counts["own"]) > FRAMES and sum(counts["strict"]) == 0


def test_the_card_decides_about_scores_and_files_change_it(
    models: dict[str, str], clip: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    flags = ("--mot_model_dir", models["mot"], "--keypoint_model_dir", models["kpt"], "--video_file", clip, "--save_mot_txts")
    file = tmp_path / "tracker.yml"
    file.write_text("type: JDETracker\nJDETracker: {conf_thres: 0.99, det_thresh: 0.99}\n")
    with caplog.at_level(logging.WARNING):
        assert command(tmp_path / "strict", *flags, "--tracker_config", file, "--mot_threshold", "0.7") == 0
    assert "--mot_threshold 0.7 is not used" in caplog.text
    strict = (tmp_path / "strict" / "cross.txt").read_text().splitlines()
    assert {line.split(",")[1] for line in strict} == {"1"} and len(strict) < FRAMES  # only the red one is ever so bright
    file.write_text("tracker: {min_hits: 1}\n")  # the tracker of poses
    assert command(tmp_path / "poses", *flags, "--tracker_config", file) == 0
    assert len((tmp_path / "poses" / "cross.txt").read_text().splitlines()) >= FRAMES
    file.write_text("type: JDETracker\nJDETracker: {conf_thres: 7}\n")
    with pytest.raises(ConfigError, match="conf_thres"):
        command(tmp_path / "bad", *flags, "--tracker_config", file)


def test_the_api_tracks_images_streams_and_zones(models: dict[str, str]) -> None:
    pipeline = PosePipeline(models["mot"], models["kpt"], engine="onnxruntime")
    results = [pipeline.track(crossing(frame), seconds=frame / 25) for frame in range(FRAMES)]
    red = results[0].track_ids[results[0].boxes[:, 0].argmin()]
    assert [float(r[RED][r.track_ids == red][0, 0]) for r in results] == pytest.approx([red_x(f) for f in range(FRAMES)], abs=2)
    other = pipeline.track(crossing(0), stream="another camera")
    assert sorted(other.track_ids.tolist()) == [1, 2]
    assert pipeline.estimate(crossing(0)).track_ids is None and len(pipeline.estimate(crossing(0))) == 2
    toolkits = [pipeline.stream_tracker(settings=TrackerSettings()), pipeline.stream_tracker()]
    assert [tracker.follows_boxes for tracker in toolkits] == [False, True]
    zone = Zone("left", ((0, 0), (64, 0), (64, 96), (0, 96)))
    left = PosePipeline(models["mot"], models["kpt"], engine="onnxruntime", zones=[zone])
    inside = [left.track(crossing(frame), seconds=frame / 25) for frame in range(FRAMES)]
    assert all(len(result) <= 2 and (result.boxes[:, [0, 2]].mean(axis=1) < 64 + 12).all() for result in inside)
    assert inside[-1].zones is not None and inside[-1].zones.counts[0].seen == 2


def test_nobody_for_a_while(models: dict[str, str]) -> None:
    """PaddleDetection stops at a frame in which the network finds nobody (T7)."""
    pipeline = PosePipeline(models["mot"], models["kpt"], engine="onnxruntime")
    empty = np.zeros((96, 128, 3), np.uint8)
    images = [empty, crossing(0), crossing(1), empty, empty, crossing(4)]
    counts = [len(pipeline.track(image, seconds=step / 25)) for step, image in enumerate(images)]
    assert counts == [0, 0, 2, 0, 0, 2]  # who is not there in the first frame shows when seen again


def test_without_a_pose_model(models: dict[str, str], clip: Path, tmp_path: Path) -> None:
    flags = ("--mot_model_dir", models["mot"], "--video_file", clip, "--save_mot_txts", "--save_res", "--json_layout", "named")
    assert command(tmp_path, *flags) == 0
    rows = [line.split(",") for line in (tmp_path / "cross.txt").read_text().splitlines()]
    assert len(rows) == 2 * FRAMES and {row[1] for row in rows} == {"1", "2"}
    people = json.loads((tmp_path / "mot_keypoint_unite_video_results.json").read_text())[3]["people"]
    assert all(list(person["keypoints"]) == ["center"] for person in people)
    with pytest.raises(ConfigError, match="are missing"):
        command(tmp_path, "--video_file", clip)


def test_images_and_large_pictures(models: dict[str, str], tmp_path: Path) -> None:
    import cv2

    image = tmp_path / "large.png"
    write_image(image, cv2.resize(crossing(3), (640, 480), interpolation=cv2.INTER_CUBIC))
    flags = ("--mot_model_dir", models["mot"], "--keypoint_model_dir", models["kpt"], "--image_file", image, "--save_res")
    assert command(tmp_path / "out", *flags) == 0
    (record,) = json.loads((tmp_path / "out" / "det_keypoint_unite_image_results.json").read_text())
    boxes = np.array(record[1])
    centres = [red_x(3) * 5 + 2.5, (127 - red_x(3)) * 5 + 2.5]
    np.testing.assert_allclose(sorted((boxes[:, 0] + boxes[:, 2]) / 2), sorted(centres), atol=4)


def content(results: Iterable[PoseResult]) -> list[tuple[Any, ...]]:
    return [(r.frame_id, r.boxes.tolist(), r.keypoints.tolist(), r.scores.tolist(), r.track_ids.tolist()) for r in results]


def test_workers_look_ahead_and_change_no_bit(models: dict[str, str], clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead: list[bool] = []

    def watched(*args: Any, only_boxes: bool) -> Any:
        ahead.append(only_boxes)
        return looks_ahead(*args, only_boxes=only_boxes)

    monkeypatch.setattr("ppdet.inference.video.estimation.looks_ahead", watched)
    runs = []
    for workers, threads in ((0, 2), (1, 1), (3, 1)):
        pipeline = PosePipeline(models["mot"], models["kpt"], engine="onnxruntime", cpu_threads=threads, workers=workers)
        runs.append(content(pipeline(clip)))
    assert ahead == [True, True] and [len(frame[4]) for frame in runs[0]] == [2] * FRAMES
    assert runs[0] == runs[1] == runs[2]
    own_loop = PosePipeline(models["mot"], models["kpt"], engine="onnxruntime")
    frames = [own_loop.track(result.image, seconds=result.timestamp_ms / 1000) for result in own_loop(clip, keep_frames=True)]
    assert [frame[1:] for frame in content(frames)] == [frame[1:] for frame in runs[0]]


def test_a_run_is_continued_with_the_same_identities(models: dict[str, str], clip: Path, tmp_path: Path) -> None:
    """The file holds no looks, so the frames so far are looked at again."""
    flags = ["--det", models["mot"], "--model", models["kpt"], "--engine", "onnxruntime", "--cpu_threads", "2"]
    whole, parts = tmp_path / "whole.jsonl", tmp_path / "parts.jsonl"
    assert pose.main([str(clip), "--results", str(whole), *flags]) == 0
    assert pose.main([str(clip), "--results", str(parts), "--max_frames", "11", *flags]) == 0
    begun = parts.read_text()
    assert pose.main([str(clip), "--results", str(parts), "--resume", *flags]) == 0
    assert parts.read_text() == whole.read_text() and len(begun.splitlines()) == 11
    parts.write_text(begun.replace('"id": 2', '"id": 5').replace('"id":2', '"id":5'))
    with pytest.raises(ConfigError, match=r"frame 11 of .*\[1, 2\].*\[1, 5\]"):
        run_module(pose, str(clip), "--results", str(parts), "--resume", *flags)


def test_intervals_of_the_detector(models: dict[str, str], clip: Path, tmp_path: Path) -> None:
    names = {"engine": "onnxruntime"}
    fast = PosePipeline(models["mot"], models["kpt"], preset="fast", **names)
    assert fast.det_interval == 1 and len(list(fast(clip))) == FRAMES
    third = PosePipeline(models["mot"], models["kpt"], det_interval=3, **names)
    with pytest.raises(ConfigError, match="needs every frame"):
        third.track(crossing(0))
    by_poses = [third.track(crossing(frame), settings=TrackerSettings()) for frame in range(4)]
    assert len(by_poses[0]) == 2 and third.timer.runs()["detect"] < 4
    with pytest.raises(ConfigError, match="needs a pose model"):
        command(tmp_path, "--mot_model_dir", models["mot"], "--video_file", clip, "--det_interval", "2")


def test_broken_models(models: dict[str, str], tmp_path: Path) -> None:
    one_output = write_fairmot(tmp_path / "one", drop_looks=True)
    with pytest.raises(ModelDirError, match="rows of six and as many looks"):
        PosePipeline(one_output, models["kpt"], engine="onnxruntime").estimate(crossing(0))
    bad_tracker = write_fairmot(tmp_path / "bad", tracker={"conf_thres": "high"})
    with pytest.raises(ModelDirError, match="conf_thres"):
        PosePipeline(bad_tracker, models["kpt"], engine="onnxruntime")
