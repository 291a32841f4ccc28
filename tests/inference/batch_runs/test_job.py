"""The work on one input: its result, its counts, and what counts as a failure of the input."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.batch_parts import SIZE, planted_job, write_clip
from support.planted_models import planted_person

from ppdet.core.errors import PpdetError
from ppdet.image.io import write_image
from ppdet.inference.batch_runs import BatchJob
from ppdet.inference.batch_runs.inputs import BatchInput
from ppdet.inference.batch_runs.job import Outcome, size_of, state_of, work_on
from ppdet.inference.formats import read_json_lines
from ppdet.inference.formats.whole_output import CannotWriteError


def write_photo(path: Path) -> Path:
    return write_image(path, planted_person(SIZE, np.full((3, 2), 50.0), 5.0))


def outcome_of(path: Path, folder: Path, job: BatchJob | None = None, pipeline: Any = None) -> Outcome:
    job = job or planted_job(folder)
    return work_on(job, pipeline or job.open_pipeline(), BatchInput(str(path), path.name), folder / "out")


class Broken:
    """Stands for a pipeline with a bug."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        raise self._error


def test_an_image(tmp_path: Path) -> None:
    found = outcome_of(write_photo(tmp_path / "a.PNG"), tmp_path)
    assert (found.status, found.reason, found.frames, found.people, found.persons) == ("done", "", 1, 1, 0)
    (line,) = read_json_lines(tmp_path / "out" / "a.PNG.jsonl")
    assert line["image"] == str(tmp_path / "a.PNG") and (line["width"], line["height"]) == SIZE and found.seconds > 0


def test_a_video_and_its_first_frames(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.avi", 5)
    found = outcome_of(clip, tmp_path)
    assert (found.frames, found.people, found.persons, found.unreadable, found.missing) == (5, 5, 1, 0, 0)
    found = outcome_of(clip, tmp_path, replace(planted_job(tmp_path), max_frames=2))
    assert found.frames == 2 and [line["frame"] for line in read_json_lines(tmp_path / "out" / "a.avi.jsonl")] == [1, 2]
    assert found.to_dict()["seconds"] == round(found.seconds, 3)


@pytest.mark.parametrize("name", ["damaged.mp4", "damaged.jpg", "photo.heic"])
def test_what_cannot_be_read_has_failed_and_leaves_no_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(bytes(range(256)) * 4)
    found = outcome_of(tmp_path / name, tmp_path)
    assert found.status == "failed" and name in found.reason and not list((tmp_path / "out").glob("*"))


def test_a_camera_never_ends(tmp_path: Path) -> None:
    job = planted_job(tmp_path)
    found = work_on(job, job.open_pipeline(), BatchInput("0", "0"), tmp_path / "out")
    assert found.status == "failed" and "0 is a camera, which never ends: run it by `ppdet pose`" in found.reason


@pytest.mark.parametrize("error", [KeyError("x"), ValueError("x"), ZeroDivisionError("x"), MemoryError(), OSError("x")])
def test_a_bug_is_a_failure_of_one_input(tmp_path: Path, error: Exception) -> None:
    found = outcome_of(write_photo(tmp_path / "a.png"), tmp_path, pipeline=Broken(error))
    assert found.status == "failed" and found.reason.startswith(f"{type(error).__name__}: ")
    assert not list((tmp_path / "out").glob("*"))


@pytest.mark.parametrize("error", [CannotWriteError("the disk is full"), KeyboardInterrupt(), SystemExit(3)])
def test_a_full_disk_and_an_interruption_are_no_failure_of_the_input(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)):
        outcome_of(write_photo(tmp_path / "a.png"), tmp_path, pipeline=Broken(error))
    assert not list((tmp_path / "out").glob("*"))


def test_a_users_mistake_keeps_its_words(tmp_path: Path) -> None:
    found = outcome_of(write_photo(tmp_path / "a.png"), tmp_path, pipeline=Broken(PpdetError("say it like this")))
    assert found.reason == "say it like this"


def test_the_settings_decide_the_fingerprint(tmp_path: Path) -> None:
    a, b, again = (planted_job(tmp_path, settings=each) for each in ({"x": 1, "y": 2}, {"x": 1, "y": 3}, {"y": 2, "x": 1}))
    assert a.fingerprint == again.fingerprint != b.fingerprint


def test_sizes_and_states(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name, size in (("folder/a", 3), ("folder/b", 4), ("c", 5)):
        (tmp_path / name).write_bytes(bytes(size))
    assert [size_of(tmp_path / name) for name in ("folder", "c", "nowhere")] == [7, 5, None]
    before = state_of(tmp_path / "c")
    assert before is not None and before[0] == 5 and state_of(tmp_path / "nowhere") is None and state_of("a\0b") is None
    (tmp_path / "c").write_bytes(bytes(6))
    assert state_of(tmp_path / "c") != before
