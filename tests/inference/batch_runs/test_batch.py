"""Batches: one result per input, whole; nothing lost, nothing done twice, whatever dies on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.batch_parts import planted_job, write_clip
from support.planted_models import planted_person

from ppdet.core.command import INTERRUPTED as INTERRUPTED_STATUS
from ppdet.core.command import TERMINATED
from ppdet.core.errors import ConfigError, ModelDirError, PpdetError
from ppdet.inference.batch_runs import BatchJob, BatchOptions, BatchReport, find_inputs, run_batch
from ppdet.inference.batch_runs.job import WorkerStartError
from ppdet.inference.formats import read_json_lines
from ppdet.inference.formats.whole_output import CannotWriteError
from ppdet.inference.progress import quiet_progress
from ppdet.inference.video import process_video

ROOT = Path(__file__).resolve().parents[3]


def clips(folder: Path, count: int, white: int | None = None) -> Path:
    for number in range(count):
        write_clip(folder / "in" / f"{number:02d}.avi", 3, number, white=number == white)
    return folder / "in"


def run(folder: Path, job: BatchJob, **options: object) -> BatchReport:
    return run_batch(find_inputs([str(folder / "in")]), folder / "out", job, BatchOptions(**options))


def journal(folder: Path) -> list[dict]:
    return [entry for line in (folder / "out" / "journal.jsonl").read_text().splitlines()
            if (entry := json.loads(line))["kind"] == "input"]  # fmt: skip


def results(folder: Path, name: str = "out") -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / name).glob("*.avi.jsonl"))}


def test_a_killed_worker_a_bad_file_and_a_second_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clips(tmp_path, 5, white=2)
    (tmp_path / "in" / "bad.mp4").write_bytes(b"\x00\x01no video" * 50)
    (tmp_path / "in" / "empty.mp4").touch()
    (tmp_path / "in" / "notes.md").write_text("half of the folder is no video")
    (tmp_path / "out").mkdir()
    left = tmp_path / "out" / ".99.avi.123-0123abcd.tmp.jsonl"  # of a run that was killed
    left.touch()
    report = run(tmp_path, planted_job(tmp_path, times=1), workers=2)
    assert (report.inputs, report.done, len(report.failed), report.workers_lost) == (7, 5, 2, 1)
    assert report.exit_status() == 1 and report.skipped == {".md": 1}
    assert "a worker died on" in caplog.text and "killed by SIGKILL" in caplog.text and "is empty (0 bytes)" in caplog.text
    assert sorted(entry["name"] for entry in journal(tmp_path)) == sorted(path.name for path in (tmp_path / "in").iterdir()
                                                                          if path.suffix != ".md")  # fmt: skip
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*results(tmp_path), ".lock", "journal.jsonl", "manifest.json"}
    lines = list(read_json_lines(tmp_path / "out" / "02.avi.jsonl"))
    assert [line["frame"] for line in lines] == [1, 2, 3, 4] and all(line["people"][0]["id"] == 1 for line in lines)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (manifest["inputs"], manifest["done"], manifest["failed"], manifest["left"], manifest["frames"]) == (7, 5, 2, 0, 16)
    assert {Path(each["source"]).name for each in manifest["failures"]} == {"bad.mp4", "empty.mp4"}

    # a second run has one result less, a changed input and a new one to do, and nothing else
    before = results(tmp_path)
    (tmp_path / "out" / "01.avi.jsonl").unlink()
    write_clip(tmp_path / "in" / "03.avi", 4, 7)
    write_clip(tmp_path / "in" / "08.avi", 2, 8)
    report = run(tmp_path, planted_job(tmp_path))
    assert [Path(each.source).name for each in report.now] == ["01.avi", "03.avi", "08.avi"] and len(report.before) == 5
    after = results(tmp_path)
    assert {name for name in before if before[name] != after[name]} == {"03.avi.jsonl"} and after["08.avi.jsonl"]
    assert not run(tmp_path, planted_job(tmp_path)).now
    report = run(tmp_path, planted_job(tmp_path), retry_failed=True)
    assert {Path(each.source).name for each in report.now} == {"bad.mp4", "empty.mp4"}


def test_changed_settings_are_noticed(tmp_path: Path) -> None:
    clips(tmp_path, 1)
    run(tmp_path, planted_job(tmp_path))
    before = results(tmp_path)
    with pytest.raises(ConfigError, match=r'has 1 results of these inputs with other settings \(model "a" -> "b"\).*--redo'):
        run(tmp_path, planted_job(tmp_path, settings={"model": "b"}))
    assert results(tmp_path) == before
    assert len(run(tmp_path, planted_job(tmp_path, settings={"model": "b"}), redo=True).now) == 1
    assert not run(tmp_path, planted_job(tmp_path, settings={"model": "b"})).now
    with pytest.raises(ConfigError, match="other settings"):
        run(tmp_path, planted_job(tmp_path))


def test_an_input_on_which_workers_die_is_a_failure(tmp_path: Path) -> None:
    clips(tmp_path, 2, white=0)
    report = run(tmp_path, planted_job(tmp_path, times=99))
    assert report.done == 1 and report.workers_lost == 2
    assert report.failed[0].reason.startswith("2 workers died on it, the last one killed by SIGKILL")


def test_images_and_videos_that_cannot_be_read_have_failed_with_the_reason(tmp_path: Path) -> None:
    """Nothing that a user takes for an image or a video is passed over; a GIF is played."""
    folder = tmp_path / "in"
    write_clip(folder / "a.avi", 3)
    frames = [Image.fromarray(planted_person((96, 128), np.full((3, 2), 40.0) + 2 * step, 5.0)) for step in range(4)]
    frames[0].save(folder / "b.gif", save_all=True, append_images=frames[1:])
    frames[0].save(folder / "c.png")
    (folder / "d.HEIC").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(60))
    (folder / "e.nef").write_bytes(b"MM\0*" + bytes(60))
    (folder / "f.braw").write_bytes(b"\0\0\0\x08wide" + bytes(range(200)))
    (folder / "g.gif").write_bytes((folder / "b.gif").read_bytes()[:20])
    (folder / "h.pdf").write_bytes(b"%PDF")
    (folder / "i.m3u8").write_text("#EXTM3U\n")
    report = run_batch(find_inputs([str(folder)], "all"), tmp_path / "out", planted_job(tmp_path), BatchOptions())
    assert {Path(each.source).name for each in report.outcomes if each.status == "done"} == {"a.avi", "b.gif", "c.png"}
    reasons = {Path(each.source).name: each.reason for each in report.failed}
    assert reasons.keys() == {"d.HEIC", "e.nef", "f.braw", "g.gif"} and report.skipped == {".pdf": 1, ".m3u8": 1}
    assert "is a HEIC file, which is not an image format read here; convert it to JPEG or PNG" in reasons["d.HEIC"]
    assert "does not open as a video" in reasons["f.braw"] and all(name in reasons[name] for name in reasons)
    assert len(list(read_json_lines(tmp_path / "out" / "b.gif.jsonl"))) >= 2
    assert report.exit_status() == 1


@pytest.mark.slow
def test_a_worker_that_stands_still_is_stopped(tmp_path: Path) -> None:
    clips(tmp_path, 2, white=0)
    report = run(tmp_path, planted_job(tmp_path, times=1, seconds=600), stall_seconds=4)
    assert report.done == 1 and report.workers_lost == 1
    assert report.failed[0].reason.startswith("no frame was finished for 4 s")
    assert not list((tmp_path / "out").glob(".*tmp*"))


def test_smoothing_of_a_whole_video_does_not_look_like_standing_still(tmp_path: Path) -> None:
    """The poses of all frames come before the first result is written; each of them is a sign of life."""
    pytest.importorskip("scipy")
    events: list[str] = []
    clip = write_clip(tmp_path / "long.avi", 12)
    with quiet_progress(lambda: events.append("alive")):
        pipeline = planted_job(tmp_path).open_pipeline()
        process_video(pipeline, clip, filter_type="savgol", on_result=lambda result: events.append("result"))
    assert events.index("result") >= 12 and events.count("result") == 12


def _no_model() -> None:
    raise ModelDirError("there is no model nowhere: check --model")


def _broken_model() -> None:
    os._exit(3)


def test_a_model_that_does_not_open_ends_the_run(tmp_path: Path) -> None:
    clips(tmp_path, 2)
    with pytest.raises(WorkerStartError, match="there is no model nowhere"):
        run(tmp_path, BatchJob(_no_model))  # type: ignore[arg-type]
    with pytest.raises(WorkerStartError, match="3 workers in a row died while they opened the models .exit status 3."):
        run(tmp_path, BatchJob(_broken_model))  # type: ignore[arg-type]
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["left"] == 2 and not journal(tmp_path)


FULL_DISK = """
import resource, sys
sys.path[:0] = {paths!r}
from support.batch_parts import planted_job
from ppdet.core.command import run_command
from ppdet.inference.batch_runs import BatchOptions, find_inputs, run_batch
from pathlib import Path
def main():
    folder = Path({folder!r})
    if {limit}:
        resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
    return run_batch(find_inputs([str(folder / "in")]), folder / "out", planted_job(folder), BatchOptions()).exit_status()
if __name__ == "__main__":
    sys.exit(run_command(main))
"""


def test_a_full_disk_stops_the_run_and_the_next_goes_on(tmp_path: Path) -> None:
    """A limit on file sizes stands for the full disk: the results of the short clips fit, that of the long one does not."""
    pytest.importorskip("resource")
    clips(tmp_path, 3)
    write_clip(tmp_path / "in" / "01.avi", 40, 1)
    script = tmp_path / "run.py"
    paths = [str(ROOT), str(ROOT / "tests")]
    for limit, status, done in ((4000, 2, 1), (0, 0, 3)):
        script.write_text(FULL_DISK.format(paths=paths, folder=str(tmp_path), limit=limit))
        ended = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
        assert ended.returncode == status, ended.stderr
        assert len(results(tmp_path)) == done and not list((tmp_path / "out").glob(".*tmp*"))
        if limit:
            assert "error: cannot write" in ended.stderr and "1 of 3 inputs have results; run the same command" in ended.stderr
            assert "Traceback" not in ended.stderr
    assert [entry["name"] for entry in journal(tmp_path)] == ["00.avi", "01.avi", "02.avi"]


def test_a_journal_cut_short_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    clips(tmp_path, 2)
    run(tmp_path, planted_job(tmp_path))
    path = tmp_path / "out" / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-30])
    report = run(tmp_path, planted_job(tmp_path))
    assert [Path(each.source).name for each in report.now] == ["01.avi"]
    assert not run(tmp_path, planted_job(tmp_path)).now


def test_two_runs_in_one_folder(tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    clips(tmp_path, 1)
    (tmp_path / "out").mkdir()
    with (tmp_path / "out" / ".lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with pytest.raises(ConfigError, match="another run works in"):
            run(tmp_path, planted_job(tmp_path))
    assert run(tmp_path, planted_job(tmp_path)).done == 1


def test_impossible_options_and_names(tmp_path: Path) -> None:
    wrong = {"engine is 'spark'": {"engine": "spark"}, "workers is 0": {"workers": 0}, "the engine ray": {"address": "auto"},
             "stall_seconds is 0": {"stall_seconds": 0}}  # fmt: skip
    for problem, options in wrong.items():
        with pytest.raises(ConfigError, match=problem):
            BatchOptions(**options)
    write_clip(tmp_path / "clip.avi").rename(tmp_path / "journal")
    (tmp_path / "list.txt").write_text("journal\n")
    with pytest.raises(ConfigError, match="would be called like the batch's own journal.jsonl"):
        run_batch(find_inputs([str(tmp_path / "list.txt")]), tmp_path / "out", planted_job(tmp_path), BatchOptions())


@pytest.mark.parametrize("half", [300, pytest.param(50_000, marks=pytest.mark.slow)])
def test_half_of_a_large_folder_is_no_video(tmp_path: Path, half: int) -> None:
    """One half has other suffixes, of the other half only one file is a video; failures that are many stay cheap."""
    (tmp_path / "in").mkdir()
    for number in range(half):
        (tmp_path / "in" / f"{number}.dat").touch()
        (tmp_path / "in" / f"{number}.mp4").write_text("not a video")
    write_clip(tmp_path / "in" / "one.avi")
    found = find_inputs([str(tmp_path / "in")])
    assert len(found.files) == half + 1 and found.skipped == {".dat": half}
    started = time.process_time()
    report = run(tmp_path, planted_job(tmp_path))
    assert (time.process_time() - started) / half < 0.04
    assert (report.inputs, report.done, len(report.failed)) == (half + 1, 1, half)
    assert len(json.loads((tmp_path / "out" / "manifest.json").read_text())["failures"]) == half
    assert not run(tmp_path, planted_job(tmp_path)).now


INTERRUPTED = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # shells start background jobs with SIGINT ignored
sys.path[:0] = {paths!r}
from pathlib import Path
from support.batch_parts import planted_job
from ppdet.core.command import run_command
from ppdet.inference.batch_runs import BatchOptions, find_inputs, run_batch
def main():
    folder = Path({folder!r})
    job = planted_job(folder, times=1, pause_at={pause_at})
    return run_batch(find_inputs([str(folder / "in")]), folder / "out", job, BatchOptions(workers=2)).exit_status()
if __name__ == "__main__":
    sys.exit(run_command(main))
"""


@pytest.mark.parametrize(("count", "how"), [
    (8, signal.SIGKILL), pytest.param(8, signal.SIGTERM, marks=pytest.mark.slow),
    pytest.param(8, signal.SIGINT, marks=pytest.mark.slow), pytest.param(60, signal.SIGKILL, marks=pytest.mark.slow),
])  # fmt: skip
def test_nothing_is_lost_and_nothing_done_twice(tmp_path: Path, count: int, how: signal.Signals) -> None:
    """One worker killed, one corrupt file, the run killed in the middle and started again."""
    clips(tmp_path, count, white=1)
    (tmp_path / "in" / "corrupt.avi").write_bytes((tmp_path / "in" / "00.avi").read_bytes()[:300])
    script = tmp_path / "run.py"
    script.write_text(INTERRUPTED.format(paths=[str(ROOT), str(ROOT / "tests")], folder=str(tmp_path), pause_at=count // 2))
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    first = subprocess.Popen([sys.executable, str(script)], **quiet, start_new_session=True)
    deadline = time.monotonic() + 300
    while len(results(tmp_path)) < count // 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    if how == signal.SIGINT:
        os.killpg(first.pid, how)  # Ctrl-C goes to all processes of a terminal
    else:
        first.send_signal(how)
    assert first.wait(300) == {signal.SIGKILL: -how, signal.SIGTERM: TERMINATED, signal.SIGINT: INTERRUPTED_STATUS}[how]
    time.sleep(1.0)  # the workers notice and end
    (tmp_path / "go_on").touch()
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.avi.jsonl")}
    recorded = {entry["result"] for entry in journal(tmp_path) if entry["status"] == "done"}
    assert count // 2 - 1 <= len(recorded) < count and recorded <= set(before)
    assert subprocess.run([sys.executable, str(script)], capture_output=True, check=False).returncode == 1
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.avi.jsonl")}
    assert {f"{number:02d}.avi.jsonl" for number in range(count)} == set(after)
    assert {name for name in recorded if before[name] != after[name]} == set()  # done before: not touched again
    entries = journal(tmp_path)
    assert len(entries) == len({entry["name"] for entry in entries}) == count + 1  # one line per input, over both runs
    assert [entry["name"] for entry in entries if entry["status"] == "failed"] == ["corrupt.avi"]
    # The white frame: died once, done once; and once more if the run was stopped after the frame and before the clip's end.
    times = (tmp_path / "marker").read_text().count("again")
    assert times == 2 or times == 3 and "01.avi.jsonl" not in recorded
    assert not list((tmp_path / "out").glob(".*tmp*"))
    for number in range(count):
        frames = [line["frame"] for line in read_json_lines(tmp_path / "out" / f"{number:02d}.avi.jsonl")]
        assert frames == list(range(1, 5 if number == 1 else 4))


@pytest.mark.slow
def test_ray_gives_the_same_results(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    clips(tmp_path, 4, white=1)
    (tmp_path / "in" / "corrupt.avi").write_bytes((tmp_path / "in" / "00.avi").read_bytes()[:300])
    local = run(tmp_path, planted_job(tmp_path, times=0), workers=2)
    (tmp_path / "marker").unlink()
    inputs = find_inputs([str(tmp_path / "in")])
    report = run_batch(inputs, tmp_path / "ray", planted_job(tmp_path, times=1), BatchOptions(engine="ray", workers=2))
    assert results(tmp_path, "ray") == results(tmp_path) and len(results(tmp_path)) == 4
    assert sorted((each.source, each.status, each.frames, each.people) for each in report.now) == sorted(
        (each.source, each.status, each.frames, each.people) for each in local.now
    )
    assert (tmp_path / "marker").read_text().count("again") == 2  # an actor was killed and its input started again
    assert not run_batch(inputs, tmp_path / "ray", planted_job(tmp_path), BatchOptions(engine="ray")).now
    with pytest.raises(PpdetError, match="there is no model nowhere"):
        run_batch(inputs, tmp_path / "third", BatchJob(_no_model), BatchOptions(engine="ray"))  # type: ignore[arg-type]


def test_without_ray_it_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clips(tmp_path, 1)
    monkeypatch.setattr("ppdet.inference.batch_runs.ray_actors.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"needs Ray, which is not installed: pip install 'ray\[data\]'"):
        run(tmp_path, planted_job(tmp_path), engine="ray")


def test_a_result_that_cannot_be_written_is_no_failure_of_the_input(tmp_path: Path) -> None:
    clips(tmp_path, 1)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "00.avi.jsonl").mkdir()
    (tmp_path / "out" / "00.avi.jsonl" / "in the way").touch()
    with pytest.raises(CannotWriteError, match="0 of 1 inputs have results"):
        run(tmp_path, planted_job(tmp_path))
    assert not journal(tmp_path)
