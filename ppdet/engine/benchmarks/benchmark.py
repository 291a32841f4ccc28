"""Measurements quoted in the docs: whole commands in separate processes, and networks per engine.

Each command runs in a process of its own: wall-clock time and peak resident memory include start-up, decoding and drawing, and
    no run profits from the caches of the one before.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Iterable, Iterator, Sequence

import numpy as np

from ppdet.core.errors import PpdetError
from ppdet.inference.model_card import ModelCard
from ppdet.inference.runtimes.registry import load_runtime

ROOT = Path(__file__).resolve().parents[3]
UNITE = "from ppdet.commands.deployed.unite import main; raise SystemExit(main())"
"""The command of deploy/python/det_keypoint_unite_infer.py, for a clone and an installed package alike."""


@dataclass(frozen=True)
class Measured:
    """One process: wall-clock seconds, peak resident memory in MiB, exit status, and the end of its output."""

    seconds: float
    peak_mib: float
    status: int
    tail: str


def measure_command(arguments: Sequence[str]) -> Measured:
    """Run ``python arguments...`` from the repository root and measure it."""
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen([sys.executable, *arguments], stdout=output, stderr=subprocess.STDOUT, cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        tail = output.read().decode(errors="replace")[-600:]
    return Measured(seconds, usage.ru_maxrss / 1024, process.returncode, tail)


def unite_rows(
    det_dir: str, pose_dir: str, videos: Iterable[str], engines: Iterable[str], threads: int
) -> Iterator[list[str]]:
    """Rows (video, engine, seconds, frames/s, peak MiB) of the unite command on each video with each engine.

    Raises:
        PpdetError: a run failed; the end of its output is in the message.
    """
    import cv2

    for video in videos:
        frames = int(cv2.VideoCapture(video).get(cv2.CAP_PROP_FRAME_COUNT))
        for engine in engines:
            with tempfile.TemporaryDirectory() as folder:
                arguments = ["-c", UNITE, "--det_model_dir", det_dir]
                arguments += ["--keypoint_model_dir", pose_dir, "--video_file", video, "--engine", engine]
                arguments += ["--cpu_threads", str(threads), "--save_res", "True", "--output_dir", folder]
                run = measure_command([os.path.abspath(a) if os.path.exists(a) else a for a in arguments])
            if run.status:
                raise PpdetError(f"{engine} on {video} ended with status {run.status}:\n{run.tail}")
            yield [Path(video).name, engine, f"{run.seconds:.1f}", f"{frames / run.seconds:.1f}", f"{run.peak_mib:.0f}"]


def network_rows(
    model_dir: str, engines: Iterable[str], threads: int, batches: Iterable[int], repeats: int, precision: str
) -> Iterator[list[str]]:
    """Rows (engine, precision, batch, median ms, ms per crop) of the network alone, on random crops.

    Engines take turns within each round, so that a noisy machine disturbs all of them equally.
    """
    card = ModelCard.load(model_dir)
    if card.input_wh is None:
        raise PpdetError(f"{model_dir} is a model for images of any size; its network cannot be timed on crops")
    width, height = card.input_wh
    runtimes = {e: load_runtime(model_dir, engine=e, cpu_threads=threads, precision=precision) for e in engines}
    for batch in batches:
        image = np.random.default_rng(0).normal(0, 1, (batch, 3, height, width)).astype(np.float32)
        times: dict[str, list[float]] = {e: [] for e in runtimes}
        for _ in range(repeats):
            for engine, runtime in runtimes.items():
                scale = np.ones((batch, 2), np.float32)
                feed = {name: image if name in ("image", "x") else scale for name in runtime.input_names}
                start = time.perf_counter()
                runtime.run(feed)
                times[engine].append(1000 * (time.perf_counter() - start))
        for engine, runtime in runtimes.items():
            median = statistics.median(times[engine][repeats // 4 :])
            yield [engine, runtime.precision, str(batch), f"{median:.1f}", f"{median / batch:.2f}"]


def help_rows(repeats: int = 3) -> Iterator[list[str]]:
    """Rows (command, seconds) of ``--help``: the median of a few runs of each command."""
    commands = sorted([*(ROOT / "tools").glob("*.py"), *(ROOT / "deploy" / "python").glob("*.py")])
    for command in commands:
        runs = [measure_command([str(command), "--help"]) for _ in range(repeats)]
        if any(run.status for run in runs):
            raise PpdetError(f"{command} --help ended with an error:\n{runs[0].tail}")
        yield [command.relative_to(ROOT).as_posix(), f"{statistics.median(run.seconds for run in runs):.2f}"]


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Lines of a Markdown table, each yielded as soon as its row is measured."""
    yield "| " + " | ".join(header) + " |"
    yield "|" + "---|" * len(header)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
