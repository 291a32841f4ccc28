"""Processor time of one thread: neither other threads nor other programs count."""

from __future__ import annotations

import statistics
import time
from typing import Any, Callable


def median_ms(run: Callable[[], Any], repeats: int) -> float:
    """Median milliseconds of processor time that this thread takes for `run`."""
    times = []
    for _ in range(repeats):
        start = time.thread_time()
        run()
        times.append(1000 * (time.thread_time() - start))
    return statistics.median(times)
