"""A network that describes looks, its tracker, and poses by its identities, in images and in videos that are continued."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.planted_fairmot import crossing, red_x, write_crossing, write_fairmot
from support.planted_models import write_pose_model

from ppdet.core.errors import ConfigError, ModelDirError
from ppdet.inference.files.earlier_results import ContinuedJsonLines, EarlierResults
from ppdet.inference.model_opening import open_detector
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.results import PoseResult
from ppdet.inference.video import process_video

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
FRAMES = 16


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("models")
    return {"det": str(write_fairmot(folder / "mot")), "model": str(write_pose_model(folder / "pose"))}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_crossing(tmp_path_factory.mktemp("clip") / "cross.avi", FRAMES)


def run(models: dict[str, str], clip: Path, lines: Path, **options: object) -> list[dict]:
    """The records of the whole file of lines after a run that continues it."""
    pipeline = PosePipeline(models["det"], models["model"], engine="onnxruntime")
    before = EarlierResults.read(lines).videos.get(None)
    with ContinuedJsonLines(lines) as writer:
        process_video(pipeline, clip, on_result=writer.add, earlier=before, **options)
    return list(EarlierResults.read(lines).videos[None].last)


def test_people_keep_their_identities_through_a_crossing(models: dict[str, str]) -> None:
    pipeline = PosePipeline(models["det"], models["model"], engine="onnxruntime")
    results: list[PoseResult] = [pipeline.track(crossing(frame), seconds=frame / 25) for frame in range(FRAMES)]
    red = results[0].track_ids[results[0].boxes[:, 0].argmin()]
    places = [float(result["nose"][result.track_ids == red][0, 0]) for result in results]
    assert places == pytest.approx([red_x(frame) for frame in range(FRAMES)], abs=2)
    assert {tuple(sorted(result.track_ids.tolist())) for result in results} == {(1, 2)}


def test_a_video_is_continued_with_the_same_people(models: dict[str, str], clip: Path, tmp_path: Path) -> None:
    """Lines hold no looks: the frames of the earlier run are seen again, without poses."""
    whole = run(models, clip, tmp_path / "whole.jsonl")
    run(models, clip, tmp_path / "parts.jsonl", max_frames=7)
    assert run(models, clip, tmp_path / "parts.jsonl") == whole and len(whole) == FRAMES
    assert (tmp_path / "parts.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_lines_of_another_tracker_are_not_continued(models: dict[str, str], clip: Path, tmp_path: Path) -> None:
    run(models, clip, tmp_path / "a.jsonl", max_frames=7)
    lines = (tmp_path / "a.jsonl").read_text()
    (tmp_path / "a.jsonl").write_text(lines.replace('"id": 2', '"id": 5'))
    with pytest.raises(ConfigError, match=r"frame 7 of .* shows the people \[1, 2\] .*and \[1, 5\] in the earlier results"):
        run(models, clip, tmp_path / "a.jsonl")


def test_settings_of_the_card_and_of_a_file(tmp_path: Path) -> None:
    network = open_detector(write_fairmot(tmp_path / "mot"), engine="onnxruntime")
    file = tmp_path / "tracker.yml"
    file.write_text("type: JDETracker\nJDETracker: {conf_thres: 0.9}\n")
    assert network.settings.conf_thres == 0.4 and network.configure(file) and network.settings.conf_thres == 0.9
    assert network.settings.tracked_thresh == 0.4  # the card's, which the file does not change
    file.write_text("tracker: {min_hits: 1}\n")  # for the tracker of poses
    assert not network.configure(file) and network.settings.conf_thres == 0.9
    with pytest.raises(ModelDirError, match="conf_thres.*correct its infer_cfg.yml, or export it again"):
        open_detector(write_fairmot(tmp_path / "wrong", {"conf_thres": 7}), engine="onnxruntime")


def test_people_who_reach_beyond_the_image_are_not_clipped(models: dict[str, str]) -> None:
    network = open_detector(models["det"], engine="onnxruntime")
    image = np.zeros((96, 128, 3), np.uint8)
    image[40, 2, 0] = 255
    (found,) = network.detect([image])
    assert found.boxes_xyxy[0, 0] < 0 < found.boxes_xyxy[0, 2] and found.looks.shape == (len(found), 8)


def test_a_network_without_looks_is_refused(tmp_path: Path) -> None:
    network = open_detector(write_fairmot(tmp_path / "mot", drop_looks=True), engine="onnxruntime")
    with pytest.raises(ModelDirError, match="the outputs of a FairMOT are rows of six and as many looks"):
        network.detect([crossing(0)])
