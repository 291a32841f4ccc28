"""JSON lines: whole at any time, and continued behind an interruption with the same people."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from support.planted_models import SKELETON, planted_person, write_detector, write_pose_model
from support.standing_still import FRAMES, start_and_wait

from ppdet.commands.running.pose import main
from ppdet.core.errors import DataError, MediaError
from ppdet.inference.files.earlier_results import ContinuedJsonLines, EarlierResults, result_of_record

SIZE = (96, 128)
ROOT = Path(__file__).resolve().parents[2]
POINTS = np.array([[30.0, 30], [20, 60], [60, 70]])


@pytest.fixture
def models(tmp_path: Path) -> list[str]:
    det, pose = write_detector(tmp_path / "det"), write_pose_model(tmp_path / "pose")
    return ["--det", str(det), "--model", str(pose), "--engine", "onnxruntime", "--cpu_threads", "2"]


def write_clip(path: Path, frames: int = 20) -> str:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, SIZE)
    for number in range(frames):
        writer.write(planted_person(SIZE, POINTS + [number, 0], 5.0)[..., ::-1])
    writer.release()
    return str(path)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_run_is_continued_with_the_same_people(tmp_path: Path, models: list[str]) -> None:
    clip, whole, parts = write_clip(tmp_path / "clip.avi"), tmp_path / "whole.jsonl", tmp_path / "parts.jsonl"
    assert main([clip, "--results", str(whole), *models]) == 0
    assert main([clip, "--results", str(parts), "--max_frames", "8", *models]) == 0
    assert [line["frame"] for line in lines(parts)] == list(range(1, 9))
    with parts.open("a") as file:
        file.write('{"frame": 9, "people": [{"bo')  # the power failed here
    again = [clip, "--results", str(parts), "--resume", "--output_dir", str(tmp_path / "out"), *models]
    assert main(again) == 0
    assert lines(parts) == lines(whole) and {p["id"] for line in lines(parts) for p in line["people"]} == {1}
    drawn = cv2.VideoCapture(str(tmp_path / "out" / "clip_from_9.avi"))
    assert sum(1 for _ in iter(lambda: drawn.read()[0], False)) == 12
    before = parts.read_bytes()
    assert main([clip, "--results", str(parts), "--resume", *models]) == 0  # nothing is left to do
    assert main(again) == 0 and not (tmp_path / "out" / "clip_from_21.avi").exists()
    assert parts.read_bytes() == before


def test_results_of_another_video_are_not_continued(
    tmp_path: Path, models: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "poses.jsonl"
    assert main([write_clip(tmp_path / "clip.avi"), "--results", str(file), *models]) == 0
    before = file.read_bytes()
    other = write_clip(tmp_path / "other.avi", 21)
    assert main([other, "--results", str(file), "--resume", *models]) == 2
    assert "other.avi is not the file that the earlier results are of" in capsys.readouterr().err
    assert file.read_bytes() == before
    assert [set(line) & {"video_digest"} for line in lines(file)] == [{"video_digest"}] + 19 * [set()]
    records = lines(file)
    del records[0]["video_digest"]  # as older versions wrote it
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    before = file.read_bytes()
    shorter = write_clip(tmp_path / "shorter.avi", 5)
    assert main([shorter, "--results", str(file), "--resume", "--output_dir", str(tmp_path / "out"), *models]) == 2
    assert "has 5 frames, and 20 of it are said to be done: the earlier results are of another video" in capsys.readouterr().err
    wider = cv2.VideoWriter(str(tmp_path / "wider.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, (128, 96))
    for _ in range(30):
        wider.write(np.zeros((96, 128, 3), np.uint8))
    wider.release()
    assert main([str(tmp_path / "wider.avi"), "--results", str(file), "--resume", *models]) == 2
    assert "frames of 128 x 96 pixels, and the earlier results are of frames of 96 x 128" in capsys.readouterr().err
    assert file.read_bytes() == before and list((tmp_path / "out").iterdir()) == []


def test_a_video_may_be_renamed_and_an_older_file_learns_its_digest(tmp_path: Path, models: list[str]) -> None:
    clip, file = tmp_path / "clip.avi", tmp_path / "poses.jsonl"
    assert main([write_clip(clip), "--results", str(file), "--max_frames", "8", *models]) == 0
    records = lines(file)
    digest = records[0].pop("video_digest")
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    assert main([str(clip.rename(tmp_path / "moved.avi")), "--results", str(file), "--resume", *models]) == 0
    found = lines(file)
    assert len(found) == 20 and EarlierResults.read(file).videos[None].digest == found[8]["video_digest"] == digest


def test_images_that_are_done_are_left_out(tmp_path: Path, models: list[str]) -> None:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), planted_person(SIZE, POINTS, 5.0)[..., ::-1])
    file = tmp_path / "poses.jsonl"
    assert main([str(tmp_path / "0.png"), "--results", str(file), *models]) == 0
    assert main([*(str(tmp_path / f"{n}.png") for n in range(3)), "--results", str(file), "--resume", *models]) == 0
    assert [Path(line["image"]).name for line in lines(file)] == ["0.png", "1.png", "2.png"]


def test_what_cannot_be_continued(tmp_path: Path, models: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    clip = write_clip(tmp_path / "clip.avi", 3)
    other = tmp_path / "other.jsonl"
    other.write_text('{"something": "else"}\n')
    for flags, words in (
        (["--json", "poses.json", "--resume"], "give --results FILE.jsonl"),
        (["--resume"], "continues a file of JSON lines"),
        (["--results", str(other), "--resume"], "line 1, is no result that could be continued"),
        (["--results", "p.jsonl", "--resume", "--smooth=savgol"], "leave these out"),
    ):
        assert main([clip, *flags, *models]) == 2
        assert words in capsys.readouterr().err
    assert other.read_text() == '{"something": "else"}\n'


def test_lines_of_another_model_and_a_full_disk(tmp_path: Path) -> None:
    record = {"frame": 1, "width": 9, "height": 9, "people": [{"box": [0, 0, 1, 1], "box_score": 1, "keypoints": {}, "id": 1}]}
    with pytest.raises(DataError, match="of another model"):
        result_of_record(record, SKELETON)
    assert EarlierResults.read(tmp_path / "none.jsonl") == EarlierResults()
    with pytest.raises(MediaError, match="cannot write"):
        ContinuedJsonLines(tmp_path).__enter__()
    if Path("/dev/full").exists():
        with pytest.raises(MediaError, match="No space left"), ContinuedJsonLines("/dev/full") as writer:
            writer.add(result_of_record({"width": 9, "height": 9, "people": []}, SKELETON))


@pytest.mark.parametrize("name", ["poses.json", "poses.jsonl"])
def test_ctrl_c_leaves_valid_files(tmp_path: Path, models: list[str], name: str) -> None:
    clip = write_clip(tmp_path / "clip.avi", 2 * FRAMES)
    out, file = tmp_path / "out", tmp_path / name
    command = "ppdet/__main__.py", "pose", clip, "--results", str(file), "--output_dir", str(out)
    process = start_and_wait(tmp_path / "marker", *command, *models)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 130, error
    records = json.loads(file.read_text()) if name.endswith(".json") else lines(file)
    video = cv2.VideoCapture(str(out / "clip.avi"))
    frames = sum(1 for _ in iter(lambda: video.read()[0], False))
    assert [record["frame"] for record in records] == list(range(1, frames + 1)) and 0 < frames <= FRAMES
