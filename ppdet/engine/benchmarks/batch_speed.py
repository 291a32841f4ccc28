"""Throughput of `ppdet batch` against engine and number of workers, and what 1,000 hours of video cost at it."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from ppdet.core.errors import PpdetError
from ppdet.inference.video.writer import VideoWriter
from ppdet.visualize.rendered_people import FPS, rendered_clip

HEADER = ["engine", "workers", "frames", "seconds", "of it start", "frames/s", "processor ms per frame", "core-hours per 1,000 h"]
FRAMES_PER_THOUSAND_HOURS = 1000 * 3600 * 30
"""At 30 frames per second."""


def batch_rows(
    clips: int, frames: int, workers: Sequence[int], engines: Sequence[str], flags: Sequence[str] = ()
) -> Iterator[list[str]]:
    """Yield a row for each engine and number of workers. All work on the same rendered clips of 640x360 pixels.

    The processor time is that of the command and its workers, which other programs on the machine change little; the seconds are
    wall-clock time. Actors of Ray are no children of the command, so their processor time is not known.

    Args:
        clips, frames: number of clips, and of frames in each.
        workers: numbers of workers.
        engines: "local", "ray".
        flags: further flags of `ppdet batch`, such as those of models.

    Raises:
        PpdetError: a run failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        _render(Path(folder) / "in", clips, frames)
        for engine in engines:
            for count in workers:
                yield _row(Path(folder), engine, count, flags)


def _render(folder: Path, clips: int, frames: int) -> None:
    images = [frame.image for frame in rendered_clip(frames)]
    with VideoWriter(folder / "00000.mp4", FPS, (images[0].shape[1], images[0].shape[0])) as writer:
        for image in images:
            writer.write(image)
    for number in range(1, clips):
        shutil.copyfile(folder / "00000.mp4", folder / f"{number:05d}.mp4")


def _row(folder: Path, engine: str, workers: int, flags: Sequence[str]) -> list[str]:
    output = folder / f"{engine}_{workers}"
    command = [sys.executable, "-m", "ppdet", "batch", str(folder / "in"), "--output", str(output), "--engine", engine,
               "--workers", str(workers), *flags]  # fmt: skip
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    paths = os.pathsep.join(filter(None, [str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths}, check=False)
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise PpdetError(f"{' '.join(command)} ended with status {done.returncode}: {done.stderr[-500:]}")
    manifest = json.loads((output / "manifest.json").read_text(encoding="utf-8"))
    frames, start = manifest["frames"], seconds - manifest["work_seconds"] / workers
    row = [engine, str(workers), str(frames), f"{seconds:.1f}", f"{start:.1f}", f"{frames / (seconds - start):.2f}"]
    if engine != "local":
        return [*row, "", ""]
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    hours = cpu / frames * FRAMES_PER_THOUSAND_HOURS / 3600
    return [*row, f"{1000 * cpu / frames:.0f}", f"{hours:.0f}"]
