"""Poses of one image's people by several threads at once, for a thread that has to wait for them."""
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ppdet.inference.people_finder import Look, PeopleFinder


class DividedPoses:
    """Estimates poses like `PeopleFinder.pose`, each thread those of some people.

    Args:
        finder: may be used from several threads.
        workers: threads, the caller's included. Engines that might give other bits in other batches get all people at once.
    """

    def __init__(self, finder: PeopleFinder, workers: int) -> None:
        runtime = getattr(finder.estimator, "runtime", None)
        self._finder = finder
        self._workers = max(1, workers) if runtime is not None and runtime.keeps_bits else 1
        self._pool = ThreadPoolExecutor(max(1, self._workers - 1), "ppdet-pose")

    def __call__(self, look: Look, rows: np.ndarray) -> None:
        """Estimate the poses of the candidates `rows` of a look, and put them into it."""
        first, *others = np.array_split(rows, max(1, min(self._workers, len(rows))))
        runs = [self._pool.submit(self._finder.pose, [(look, part)]) for part in others]
        self._finder.pose([(look, first)])
        for run in runs:
            run.result()

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()
