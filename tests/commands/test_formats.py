"""The commands that write poses write them in the format of the suffix or of --format."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.batch_parts import write_clip
from support.planted_models import planted_person, write_detector, write_pose_model

from ppdet.commands.deployed import unite
from ppdet.commands.running import batch, pose
from ppdet.inference.formats import read_json_lines

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models, a clip of four frames and two photos with one planted person each."""
    folder = tmp_path_factory.mktemp("parts")
    write_detector(folder / "det")
    write_pose_model(folder / "kpt")
    write_clip(folder / "in" / "clip.avi", 4)
    for name in ("12.png", "34.png"):
        cv2.imwrite(str(folder / "in" / name), planted_person((96, 128), np.array([[30.0, 30], [20, 60], [60, 70]]), 5.0))
    return folder


def models(parts: Path) -> list[str]:
    return ["--det", str(parts / "det"), "--model", str(parts / "kpt")]


def test_pose_by_suffix_by_name_and_into_a_pipe(parts: Path, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    clip, photos = str(parts / "in" / "clip.avi"), str(parts / "in")
    assert pose.main([clip, *models(parts), "--results", str(tmp_path / "clip.jsonl")], prog="ppdet pose") == 0
    assert [line["frame"] for line in read_json_lines(tmp_path / "clip.jsonl")] == [1, 2, 3, 4]
    assert [path.name for path in tmp_path.iterdir()] == ["clip.jsonl"]  # nothing is drawn
    words = [photos, *models(parts), "--format", "coco", "--output_dir", str(tmp_path / "out")]
    assert pose.main(words, prog="ppdet pose") == 0
    entries = json.loads((tmp_path / "out" / "poses.coco.json").read_text())
    assert [(entry["image_id"], entry["file_name"]) for entry in entries] == [(12, "12.png"), (34, "34.png")]
    assert all(0 < entry["score"] < 0.95 for entry in entries)  # ranked by box and keypoints
    capfd.readouterr()
    assert pose.main([clip, photos, *models(parts), "--results", "-", "--format", "csv"], prog="ppdet pose") == 0
    rows = list(csv.DictReader(io.StringIO(capfd.readouterr().out)))
    assert [row["frame"] for row in rows] == ["", "", "1", "2", "3", "4"] and rows[-1]["video"] == "clip.avi"


@pytest.mark.parametrize(("words", "problem"), [
    (["--results", "a.xlsx"], "cannot write poses as a.xlsx: the suffix must be one of .json, .jsonl"),
    (["--results", "a.csv", "--json", "b.json"], "give one of them"),
    (["--json", "b.json", "--format", "csv"], "leave out --format csv"),
    (["--results", "-", "--format", "parquet"], "the format parquet cannot be written to stdout"),
    (["", "--results", "a.csv"], "a source is empty: is a variable not set?"),
    (["0.mp4", "--results", "a.csv"], "there is no file or folder 0.mp4"),
    ([".", "--results", "a.trc"], "has one time axis, and there are several sources: run `ppdet batch`"),
    (["--results", "a.trc", "--mm_per_pixel", "-2"], "mm_per_pixel is -2.0: give a positive number"),
])  # fmt: skip
def test_mistakes_end_before_the_work(
    parts: Path, words: list[str], problem: str, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(parts / "in")
    assert pose.main([str(parts / "in" / "clip.avi"), *words, *models(parts)], prog="ppdet pose") == 2
    assert problem in capsys.readouterr().err


def test_an_unknown_format_is_an_argument_error(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        pose.main(["a.mp4", "--format", "xml"], prog="ppdet pose")
    assert "'xml' is no format of poses: give one of json, jsonl" in capsys.readouterr().err


def test_the_deploy_programs_take_it(parts: Path, tmp_path: Path) -> None:
    words = ["--det_model_dir", str(parts / "det"), "--keypoint_model_dir", str(parts / "kpt"), "--engine", "onnxruntime",
             "--video_file", str(parts / "in" / "clip.avi"), "--output_dir", str(tmp_path), "--format", "trc"]  # fmt: skip
    assert unite.main(words) == 0
    text = (tmp_path / "det_keypoint_unite_video_results.trc").read_text().splitlines()
    assert text[3].split()[2:] == ["nose", "left_hand", "right_hand"] and len(text) == 6 + 4


def test_batch_from_the_command_line(parts: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    words = [str(parts / "in"), *models(parts), "--output", str(tmp_path / "out"), "--media", "all", "--workers", "1"]
    assert batch.main(words, prog="ppdet batch") == 0
    assert {path.name for path in (tmp_path / "out").glob("*.*.jsonl")} == {"12.png.jsonl", "34.png.jsonl", "clip.avi.jsonl"}
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    settings = manifest["settings"]
    assert manifest["frames"] == 6 and settings["format"] == "jsonl" and settings["model"].startswith("kpt ")
    assert batch.main(words, prog="ppdet batch") == 0  # all there
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["this_run"]["inputs"] == 0
    assert batch.main([*words, "--det_threshold", "0.3"], prog="ppdet batch") == 2
    assert "with other settings (det_threshold 0.5 -> 0.3)" in capsys.readouterr().err
    card = parts / "kpt" / "infer_cfg.yml"
    before = card.read_text()
    card.write_text(before + "\n# changed\n")
    try:
        assert batch.main(words, prog="ppdet batch") == 2
    finally:
        card.write_text(before)
    assert "with other settings (model " in capsys.readouterr().err
    assert batch.main([*words, "--model", "nowhere"], prog="ppdet batch") == 2
