"""Summary lines of a command that ran a model."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from ppdet.core.logger import get_logger
from ppdet.core.quantity import quantity
from ppdet.inference.stage_timer import StageTimer, peak_memory_mib


def log_end(images: int, frames: int, found: str, started: float, written: Sequence[Path]) -> None:
    """Log amount, speed, and output files.

    Args:
        images, frames: how many.
        found: what was found, such as "3 people".
        started: `time.perf_counter()` at the start.
        written: files and folders.
    """
    seconds = time.perf_counter() - started
    done = " and ".join(quantity(count, name) for count, name in ((images, "image"), (frames, "frame")) if count) or "0 images"
    places = ", ".join(dict.fromkeys(map(str, written))) or "nothing"
    rate = (images + frames) / max(seconds, 1e-9)
    get_logger(__name__).info("%s, %s, %.1f s (%.1f per second); wrote %s", done, found, seconds, rate, places)


def remember_drawing(written: list[Path], file: Path) -> None:
    """Add a drawing to what was written: by its own name as long as it is alone, otherwise all together by their folder's."""
    if file.parent in written:
        return
    others = [path for path in written if path.parent == file.parent]
    written[:] = [path for path in written if path not in others]
    written.append(file.parent if others else file)


def print_benchmark(timer: StageTimer, cpu_threads: int, frames: int = 0, seconds: float = 0.0) -> None:
    """Print the stage table with frames/s, peak memory, and a hint if cores are idle.

    Args:
        timer: of the pipeline.
        cpu_threads: threads of the networks.
        frames: video frames that were processed in `seconds`.
        seconds: see above.
    """
    print(timer.table(frames, seconds))
    peak = peak_memory_mib()
    if peak is not None:
        print(f"peak memory {peak:.0f} MiB")
    cores = os.cpu_count() or 1
    if cpu_threads < cores:
        print(f"--cpu_threads {cpu_threads} of {cores} cores; more threads may be faster")
