"""Iterates over an epoch's batches, made here or by workers."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, List, Optional

import numpy as np

from ppdet.core.errors import DataError
from ppdet.core.logger import get_logger
from ppdet.data.loading.array_slot import batch_bytes
from ppdet.data.loading.batch_maker import BatchMaker
from ppdet.data.loading.worker_pool import WorkerPool

logger = get_logger(__name__)

NAMED_BAD = 5


class Loader:
    """Iterable over the batches of an epoch; a batch is a dict of numpy arrays.

    The batches of (seed, epoch) are the same for every `worker_num`.

    Args:
        plan: epoch -> list of arrays of sample numbers, one array per batch.
        worker_num: processes; 0 makes the batches in this one.

    Attributes:
        bad: {path: reason} of every image that could not be used so far.
        num_samples: samples of this process in an epoch.
    """

    def __init__(self, maker: BatchMaker, plan: Callable[[int], List[np.ndarray]], batch_size: int, worker_num: int = 0) -> None:
        self.maker, self.batch_size, self.worker_num = maker, batch_size, worker_num
        self._plan = plan
        self._batches = plan(0)
        self.epoch = 0
        self.bad: Dict[str, str] = {}
        self._pool: Optional[WorkerPool] = None

    @property
    def dataset(self) -> Any:
        """The dataset that is read."""
        return self.maker.dataset

    @property
    def num_samples(self) -> int:
        """Samples of this process in an epoch."""
        return sum(len(batch) for batch in self._batches)

    def __len__(self) -> int:
        return len(self._batches)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the next pass: its order and its random numbers."""
        self.epoch = int(epoch)

    def __iter__(self) -> Iterator[Dict[str, Any]]:
        """Yields the batches.

        Raises:
            DataError: not one sample of this pass could be read.
        """
        self._batches = self._plan(self.epoch)
        waiting: Dict[str, str] = {}
        given = 0
        for batch in self._make():
            waiting.update(self._note(batch.pop("bad", [])))
            if not batch:
                continue
            if waiting:
                batch["bad"], waiting = list(waiting.items()), {}
            given += 1
            yield batch
        if self._batches and not given:
            path, reason = next(iter(self.bad.items()))
            raise DataError(f"none of {self.num_samples} samples could be read, e.g. {path}: {reason}")

    def _make(self) -> Iterator[Dict[str, Any]]:
        if self.worker_num < 1 or not self._batches:
            return (self.maker.make(self.epoch, indices) for indices in self._batches)
        if self._pool is None or not self._pool.alive:
            size = int(self._sample_bytes() * self.maker.size_spread) * max(len(batch) for batch in self._batches)
            self._pool = WorkerPool(self.maker, min(self.worker_num, len(self._batches)), size)
        return self._pool.run(self.epoch, self._batches)

    def _sample_bytes(self) -> int:
        """Size of a finished sample. Making one here also shows a wrong transform before anything is forked."""
        for index in self._batches[0]:
            size = batch_bytes(self.maker.make(self.epoch, [int(index)]))
            if size:
                return size
        return 0

    def _note(self, bad: List[Any]) -> Dict[str, str]:
        for path, reason in bad:
            if path not in self.bad:
                self.bad[path] = reason
                if len(self.bad) <= NAMED_BAD:
                    verb = "replaced by another sample" if self.maker.replace_bad else "left out"
                    more = "; further ones are only counted" if len(self.bad) == NAMED_BAD else ""
                    logger.warning("unusable image %s: %s%s", verb, reason, more)
        return dict(bad)

    def close(self) -> None:
        """Stop the workers; a later iteration starts new ones."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None
