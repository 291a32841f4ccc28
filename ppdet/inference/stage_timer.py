"""Times of a pipeline's stages."""
from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

# Enough for percentiles of a long video, with bounded memory.
KEPT_PER_STAGE = 20000


class StageTimer:
    """Collects the times of stages, from any thread."""

    def __init__(self) -> None:
        self._times: dict[str, list[float]] = {}
        self._lock = threading.Lock()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block as one run of the stage."""
        start = time.perf_counter()
        yield
        self.add(name, time.perf_counter() - start)

    def add(self, name: str, seconds: float) -> None:
        """Record one run of a stage."""
        with self._lock:
            times = self._times.setdefault(name, [])
            if len(times) < KEPT_PER_STAGE:
                times.append(seconds)

    def reset(self) -> None:
        """Discard all times, for instance after a warm-up."""
        with self._lock:
            self._times.clear()

    def runs(self) -> dict[str, int]:
        """Number of timed runs per stage."""
        return {name: len(times) for name, times in self._copy().items()}

    def median_ms(self) -> dict[str, float]:
        """Median of each stage in milliseconds."""
        return {name: float(np.median(times)) * 1e3 for name, times in self._copy().items()}

    def table(self) -> str:
        """One line per stage: runs, mean, median, 95th percentile, and the rate of this stage alone."""
        lines = [f"{'stage':<10} {'runs':>6} {'mean ms':>9} {'p50 ms':>9} {'p95 ms':>9} {'alone/s':>9}"]
        for name, times in self._copy().items():
            ms = np.array(times) * 1e3
            rate = 1e3 / max(float(ms.mean()), 1e-6)
            median, slow = np.percentile(ms, [50, 95])
            lines.append(f"{name:<10} {len(ms):>6} {ms.mean():>9.2f} {median:>9.2f} {slow:>9.2f} {rate:>9.1f}")
        return "\n".join(lines)

    def _copy(self) -> dict[str, list[float]]:
        """A copy of the times, since other threads may add to them."""
        with self._lock:
            return {name: list(times) for name, times in self._times.items()}


def peak_memory_mib() -> float | None:
    """Peak resident memory of this process in MiB, or None if the system does not provide it."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024.0 * 1024.0) if sys.platform == "darwin" else peak / 1024.0
