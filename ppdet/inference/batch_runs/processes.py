"""Processes that each hold one pipeline and work on one input at a time.

Each is started afresh (spawn), so that no thread or lock of an engine is copied. The leading process hands out inputs one by one
over a pipe; a worker that dies or stands still loses its input only, which another one gets.
"""
from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from ppdet.core.errors import PpdetError
from ppdet.core.files import remove_temporaries
from ppdet.core.logger import get_logger
from ppdet.inference.batch_runs.inputs import BatchInput
from ppdet.inference.batch_runs.job import BatchJob, Outcome, WorkerStartError, work_on
from ppdet.inference.formats.whole_output import CannotWriteError
from ppdet.inference.progress import quiet_progress

SECONDS_BETWEEN_BEATS = 1.0
SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_TO_END = 5.0
MOST_START_FAILURES = 3
READY, BEAT, OUTCOME, ERROR, CANNOT_WRITE = "ready", "beat", "outcome", "error", "cannot write"


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    is_ready: bool = False
    item: BatchInput | None = None
    seen: float = field(default_factory=time.monotonic)
    """When it last showed that it works."""


class LocalWorkers:
    """Runs inputs in processes of this machine.

    Args:
        job: what to do.
        folder: where results go.
        workers: number of processes.
        attempts: so many workers may die on an input before it counts as failed.
        stall_seconds: a worker that finishes no frame for so long is stopped, and its input counts as failed.

    Attributes:
        lost: workers that died or were stopped because they stood still.
    """

    def __init__(self, job: BatchJob, folder: Path, workers: int, attempts: int = 2, stall_seconds: float = 600.0) -> None:
        self._job, self._folder, self._count = job, folder, workers
        self._attempts, self._stall_seconds = attempts, stall_seconds
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []
        self._deaths: dict[str, int] = {}
        self._start_failures = 0
        self.lost = 0

    def run(self, items: Sequence[BatchInput]) -> Iterator[tuple[BatchInput, Outcome]]:
        """Inputs with what became of them, as they are finished.

        Raises:
            WorkerStartError: no worker can be started.
            CannotWriteError: a result cannot be written.
            PpdetError: the model cannot be opened.
        """
        waiting = deque(items)
        try:
            while waiting or any(worker.item for worker in self._workers):
                in_work = sum(worker.item is not None for worker in self._workers)
                while len(self._workers) < min(self._count, len(waiting) + in_work):
                    self._workers.append(self._start())
                for worker in self._workers:
                    if worker.is_ready and worker.item is None and waiting:
                        self._give(worker, waiting)
                yield from self._events(waiting)
        finally:
            self.stop()

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(theirs, self._job, self._folder), name="ppdet-batch", daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours)

    @staticmethod
    def _give(worker: _Worker, waiting: deque[BatchInput]) -> None:
        item = waiting.popleft()
        try:
            worker.pipe.send(item)
        except OSError:  # it has just died; its end is seen by the next look
            waiting.appendleft(item)
            return
        worker.item, worker.seen = item, time.monotonic()

    def _events(self, waiting: deque[BatchInput]) -> Iterator[tuple[BatchInput, Outcome]]:
        ends: dict[Any, _Worker] = {worker.pipe: worker for worker in self._workers}
        ends.update({worker.process.sentinel: worker for worker in self._workers})
        happened = {id(ends[each]): ends[each] for each in wait(list(ends), SECONDS_BETWEEN_LOOKS)}
        for worker in happened.values():
            yield from self._read(worker)
            if not worker.process.is_alive():
                yield from self._read(worker)  # what it sent last
                yield from self._bury(worker, waiting)
        for worker in list(self._workers):
            if worker.item is not None and time.monotonic() - worker.seen > self._stall_seconds:
                item = worker.item
                self._end(worker)
                reason = (f"no frame was finished for {self._stall_seconds:g} s, so the worker was stopped; --stall_seconds sets "
                          "the limit")
                yield item, Outcome(item.source, "failed", reason, time.monotonic() - worker.seen)

    def _read(self, worker: _Worker) -> Iterator[tuple[BatchInput, Outcome]]:
        with suppress(EOFError, OSError):
            while worker.pipe.poll():
                kind, content = worker.pipe.recv()
                worker.seen = time.monotonic()
                if kind == READY:
                    worker.is_ready, self._start_failures = True, 0
                elif kind == OUTCOME and worker.item is not None:
                    item, worker.item = worker.item, None
                    yield item, content
                elif kind == CANNOT_WRITE:
                    raise CannotWriteError(content)
                elif kind == ERROR:
                    raise WorkerStartError(content)

    def _bury(self, worker: _Worker, waiting: deque[BatchInput]) -> Iterator[tuple[BatchInput, Outcome]]:
        """A worker has died: start its input again, unless others have died on it."""
        item, how, was_ready = worker.item, _how_it_ended(worker.process), worker.is_ready
        self._end(worker)
        if not was_ready:
            self._start_failures += 1
            if self._start_failures >= MOST_START_FAILURES:
                raise WorkerStartError(f"{MOST_START_FAILURES} workers in a row died while they opened the models ({how}): is "
                                       "memory short? Try fewer --workers")
        if item is None:
            return
        self._deaths[item.source] = self._deaths.get(item.source, 0) + 1
        if self._deaths[item.source] >= self._attempts:
            times = self._deaths[item.source]
            reason = f"{times} workers died on it, the last one {how}; is memory short, or the file made to break decoders?"
            yield item, Outcome(item.source, "failed", reason)
            return
        get_logger(__name__).warning("a worker died on %s (%s); the file is started again", item.source, how)
        waiting.appendleft(item)

    def _end(self, worker: _Worker) -> None:
        worker.process.kill()
        worker.process.join(SECONDS_TO_END)
        worker.pipe.close()
        self._workers.remove(worker)
        self.lost += 1
        if worker.item is not None:
            remove_temporaries_of(self._job.result_path(self._folder, worker.item), worker.process.pid)

    def stop(self) -> None:
        """End all workers; unfinished results are removed."""
        workers, self._workers = self._workers, []
        for worker in workers:
            if worker.item is not None:
                worker.process.kill()
            worker.pipe.close()  # an idle worker ends by itself
        for worker in workers:
            worker.process.join(SECONDS_TO_END)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join(SECONDS_TO_END)
            if worker.item is not None:
                remove_temporaries_of(self._job.result_path(self._folder, worker.item), worker.process.pid)


def remove_temporaries_of(result: Path, process: int | None) -> None:
    """Remove what a killed process left of a result."""
    with suppress(OSError):
        remove_temporaries(result.parent, process, deep=False)


def _how_it_ended(process: BaseProcess) -> str:
    code = process.exitcode
    if code is not None and code < 0:
        with suppress(ValueError):
            return f"killed by {signal.Signals(-code).name}"
    return f"exit status {code}"


def _serve(pipe: Connection, job: BatchJob, folder: Path) -> None:
    """The life of a worker: open the pipeline, then work on inputs until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all processes of a terminal; the leading one ends the others
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(BrokenPipeError, EOFError, ConnectionResetError), quiet_progress(_Beat(pipe)):
        try:
            pipeline = job.open_pipeline()
        except PpdetError as error:
            pipe.send((ERROR, str(error)))
            return
        except Exception:
            pipe.send((ERROR, f"the models cannot be opened:\n{traceback.format_exc()}"))
            return
        pipe.send((READY, None))
        while True:
            item = pipe.recv()
            try:
                pipe.send((OUTCOME, work_on(job, pipeline, item, folder)))
            except CannotWriteError as error:
                pipe.send((CANNOT_WRITE, str(error)))
                return


class _Beat:
    """Tells the leading process about once a second that frames are being finished."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._last = pipe, time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() - self._last >= SECONDS_BETWEEN_BEATS:
            self._last = time.monotonic()
            self._pipe.send((BEAT, None))


def _end_with_parent() -> None:
    """End this process when the one that started it has ended, however that was: nobody would take the results."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
