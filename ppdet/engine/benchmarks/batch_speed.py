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
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ppdet.core.errors import PpdetError
from ppdet.inference.video.writer import VideoWriter
from ppdet.visualize.rendered_people import FPS, rendered_clip

HEADER = ["engine", "workers", "frames", "seconds", "start-up", "frames/s", "processor ms per frame", "core-hours per 1,000 h"]
FRAMES_PER_THOUSAND_HOURS = 1000 * 3600 * 30
"""At 30 frames per second."""


def batch_rows(
    clips: int, frames: int, workers: Sequence[int], engines: Sequence[str], flags: Sequence[str] = ()
) -> Iterator[list[str]]:
    """Yield a row for each engine and number of workers. All work on the same rendered clips of 640x360 pixels.

    The processor time is that of the command and its workers, without their start, which is measured first with a single frame;
    other programs on the machine change it less than the seconds, which are wall-clock time. Actors of Ray are no children of the
    command, so their processor time is not known.

    Args:
        clips, frames: number of clips, and of frames in each.
        workers: numbers of workers.
        engines: "local", "ray".
        flags: further flags of `ppdet batch`, such as those of models.

    Raises:
        PpdetError: a run failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in"
        _render(source, clips, frames)
        _, start_cpu, _ = _run(source / "00000.mp4", Path(folder) / "start", "local", 1, [*flags, "--max_frames", "1"])
        for engine in engines:
            for count in workers:
                done = _run(source, Path(folder) / f"{engine}_{count}", engine, count, flags)
                yield _row(engine, count, *done, start_cpu)


def _render(folder: Path, clips: int, frames: int) -> None:
    images = [frame.image for frame in rendered_clip(frames)]
    with VideoWriter(folder / "00000.mp4", FPS, (images[0].shape[1], images[0].shape[0])) as writer:
        for image in images:
            writer.write(image)
    for number in range(1, clips):
        shutil.copyfile(folder / "00000.mp4", folder / f"{number:05d}.mp4")


def _run(
    source: Path, output: Path, engine: str, workers: int, flags: Sequence[str]
) -> tuple[float, float, dict[str, Any]]:
    """Seconds, processor seconds and manifest of a run."""
    command = [sys.executable, "-m", "ppdet", "batch", str(source), "--output", str(output), "--engine", engine,
               "--workers", str(workers), *flags]  # fmt: skip
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    paths = os.pathsep.join(filter(None, [str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths}, check=False)
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise PpdetError(f"{' '.join(command)} ended with status {done.returncode}: {done.stderr[-500:]}")
    manifest = json.loads((output / "manifest.json").read_text(encoding="utf-8"))
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, manifest


def _row(
    engine: str, workers: int, seconds: float, cpu: float, manifest: Mapping[str, Any], start_cpu: float
) -> list[str]:
    frames, start = manifest["frames"], seconds - manifest["work_seconds"] / workers
    row = [engine, str(workers), str(frames), f"{seconds:.1f}", f"{start:.1f}", f"{frames / (seconds - start):.2f}"]
    if engine != "local":
        return [*row, "", ""]
    per_frame = max(cpu - start_cpu * (1 + workers) / 2, 0.0) / frames  # the command and each worker start alike
    return [*row, f"{1000 * per_frame:.0f}", f"{per_frame * FRAMES_PER_THOUSAND_HOURS / 3600:.0f}"]
