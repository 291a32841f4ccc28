"""Times of a pipeline's stages."""
from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Sequence
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

    def percentiles_ms(self, name: str, percents: Sequence[int] = (50, 95, 99)) -> dict[int, float]:
        """Percentiles of one stage in milliseconds; empty for a stage that never ran."""
        times = self._copy().get(name, [])
        return dict(zip(percents, (1e3 * np.percentile(times, percents)).tolist())) if times else {}

    def table(self, frames: int = 0, seconds: float = 0.0) -> str:
        """One line per stage: runs, mean, percentiles, and the rate of this stage alone; at the end frames/s on the whole.

        Stages of different frames run at the same time, so their sum is more than the whole.

        Args:
            frames: how many were done; 0 leaves the last line out.
            seconds: in which time.
        """
        lines = [f"{'stage':<10} {'runs':>6} {'mean ms':>9} {'p50 ms':>9} {'p95 ms':>9} {'p99 ms':>9} {'alone/s':>9}"]
        for name, times in self._copy().items():
            mean = 1e3 * float(np.mean(times))
            cells = " ".join(f"{ms:>9.2f}" for ms in (mean, *self.percentiles_ms(name).values(), 1e3 / max(mean, 1e-6)))
            lines.append(f"{name:<10} {len(times):>6} {cells}")
        if frames:
            lines.append(f"{frames} frames in {seconds:.2f} s: {frames / max(seconds, 1e-9):.1f} frames/s")
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
