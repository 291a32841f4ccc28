"""Lines of an earlier run: which images and frames are done, and how the file goes on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.pose_results import random_result, random_video

from ppdet.core.errors import DataError
from ppdet.inference.files.earlier_results import ContinuedJsonLines, EarlierResults, result_of_record, whole_lines
from ppdet.skeletons import get_skeleton


def write_lines(path: Path, results: list) -> Path:
    with ContinuedJsonLines(path) as writer:
        for result in results:
            writer.add(result)
    return path


def test_a_file_goes_on_behind_a_line_that_was_cut_off(tmp_path: Path) -> None:
    frames = random_video(8)
    whole, parts = write_lines(tmp_path / "whole.jsonl", frames), write_lines(tmp_path / "new" / "parts.jsonl", frames[:5])
    with parts.open("ab") as file:
        file.write(whole.read_bytes().splitlines(keepends=True)[5][:-9])
    write_lines(parts, frames[5:])
    assert parts.read_bytes() == whole.read_bytes()


def test_each_line_is_in_the_file_at_once_and_stays_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with pytest.raises(RuntimeError), ContinuedJsonLines(path) as writer:
        for count, result in enumerate(random_video(3), start=1):
            writer.add(result)
            assert len(path.read_text().splitlines()) == count
        raise RuntimeError
    assert len(path.read_text().splitlines()) == 3 and [each.name for each in tmp_path.iterdir()] == ["a.jsonl"]


def test_what_is_done(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    assert EarlierResults.read(path) == EarlierResults()
    write_lines(path, [random_result(2, path="x.jpg"), random_result(0, path="y.jpg"), *random_video(7)])
    found = EarlierResults.read(path)
    assert found.images == {"x.jpg", "y.jpg"}
    ((name, video),) = found.videos.items()
    assert name is None and (video.frames, video.largest_id) == (7, 9)
    assert [record["frame"] for record in video.last] == list(range(1, 8))


def test_a_line_becomes_its_result_again(tmp_path: Path) -> None:
    frames = random_video(6)
    for before, (_, record) in zip(frames, whole_lines(write_lines(tmp_path / "a.jsonl", frames))):
        after = result_of_record(record, before.skeleton)
        np.testing.assert_allclose(after.keypoints, before.keypoints, atol=0.01)
        np.testing.assert_allclose(after.boxes, before.boxes, atol=0.01)
        np.testing.assert_allclose(after.scores, before.scores, atol=0.001)
        assert after.track_ids.tolist() == before.track_ids.tolist()
        assert (after.frame_id, after.image_wh) == (before.frame_id, before.image_wh)


def test_a_line_of_another_model(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", random_video(2) + [random_result(1, path="x.jpg")])
    records = [record for _, record in whole_lines(path)]
    with pytest.raises(DataError, match="of another model, so it cannot be continued; leave --resume out"):
        result_of_record(records[0], get_skeleton("mpii16"))
    with pytest.raises(DataError, match="no people with ids"):
        result_of_record(records[2], get_skeleton("coco17"))


@pytest.mark.parametrize("line", ["{}", "[1]", "no json", json.dumps({"schema": "ppdet.poses/0", "people": []}), "3", ""])
def test_what_holds_something_else_is_left_alone(tmp_path: Path, line: str) -> None:
    path = write_lines(tmp_path / "a.jsonl", random_video(1))
    with path.open("a") as file:
        file.write(line + "\n")
    before = path.read_bytes()
    with pytest.raises(DataError, match="a.jsonl, line 2, is no result that could be continued"):
        EarlierResults.read(path)
    with pytest.raises(DataError, match="line 2"):
        write_lines(path, random_video(1))
    assert path.read_bytes() == before
