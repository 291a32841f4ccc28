"""What an actor of Ray does with an input, without Ray: `test_batch.py` runs real actors (slow)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.batch_parts import planted_job, write_clip

from ppdet.core.errors import ModelDirError
from ppdet.inference.batch_runs import BatchJob
from ppdet.inference.batch_runs.ray_actors import ATTEMPTS_FOLDER, CANNOT_START, CANNOT_WRITE, _Actor
from ppdet.inference.formats import read_json_lines


@pytest.fixture
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clip; its folder has a folder `out` for results."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    return write_clip(tmp_path / "a.avi", 3)


def actor(folder: Path, job: BatchJob | None = None, attempts: int = 2) -> _Actor:
    return _Actor(job or planted_job(folder), str(folder / "out"), attempts, str(folder))


def call(worker: _Actor, source: object, place: int = 7) -> dict[str, Any]:
    """The row that comes back for one input, which Ray gives as a batch of arrays."""
    texts = {"source": str(source), "name": Path(str(source)).name}
    answer = worker({"place": np.array([place]), **{key: np.array([text], object) for key, text in texts.items()}})
    assert all(len(values) == 1 for values in answer.values())
    return {name: values[0] for name, values in answer.items()}


def attempts_left(folder: Path) -> list[Path]:
    return list((folder / "out" / ATTEMPTS_FOLDER).glob("*"))


def test_an_input_is_done_and_its_counter_removed(tmp_path: Path, clip: Path) -> None:
    row = call(actor(tmp_path), clip)
    assert (row["place"], row["status"], row["frames"], row["deaths"]) == (7, "done", 3, 0)
    assert len(list(read_json_lines(tmp_path / "out" / "a.avi.jsonl"))) == 3 and attempts_left(tmp_path) == []


def test_relative_paths_mean_what_they_mean_to_the_driver(tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    worker = actor(tmp_path)
    assert Path.cwd() == tmp_path and call(worker, "a.avi")["status"] == "done"


def test_an_input_on_which_actors_died_is_counted_over_actors(tmp_path: Path, clip: Path) -> None:
    class Dies(BaseException):
        """Stands for the end of the process."""

    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise Dies

    for expected in (1, 2):
        worker = actor(tmp_path)
        worker._pipeline = Broken()
        with pytest.raises(Dies):
            call(worker, clip)
        (marker,) = attempts_left(tmp_path)
        assert marker.stat().st_size == expected
    row = call(actor(tmp_path), clip)
    assert row["status"] == "failed" and row["deaths"] == 2 and row["reason"].startswith("2 actors died on it")
    assert attempts_left(tmp_path) == [] and call(actor(tmp_path), clip)["status"] == "done"


def test_after_one_death_the_input_is_started_again(tmp_path: Path, clip: Path) -> None:
    worker = actor(tmp_path)
    call(worker, clip)
    (tmp_path / "out" / ATTEMPTS_FOLDER).mkdir(exist_ok=True)
    seen: list[Path] = []
    worker._work_on, before = (lambda item, marker: (seen.append(marker), before(item, marker))[1]), worker._work_on
    call(worker, clip)
    seen[0].write_bytes(b".")
    row = call(worker, clip)
    assert (row["status"], row["deaths"]) == ("done", 1) and not seen[0].exists()


def test_a_model_that_does_not_open_is_told_the_driver(tmp_path: Path, clip: Path) -> None:
    def no_model() -> Any:
        raise ModelDirError("there is no model nowhere")

    row = call(actor(tmp_path, BatchJob(no_model)), clip)
    assert (row["status"], row["reason"]) == (CANNOT_START, "there is no model nowhere")


def test_a_full_disk_is_told_the_driver(tmp_path: Path, clip: Path) -> None:
    (tmp_path / "out" / "a.avi.jsonl").mkdir()
    (tmp_path / "out" / "a.avi.jsonl" / "in the way").touch()
    row = call(actor(tmp_path), clip)
    assert row["status"] == CANNOT_WRITE and "a.avi.jsonl" in row["reason"]
    os.rmdir(tmp_path / "out" / ATTEMPTS_FOLDER)
    (tmp_path / "out" / ATTEMPTS_FOLDER).touch()
    row = call(actor(tmp_path), write_clip(tmp_path / "b.avi", 1))
    assert row["status"] == CANNOT_WRITE and "free some space or choose another --output" in row["reason"]
