"""Reader and writer threads with bounded queues, which keep the order.

A bounded queue blocks the faster side, so memory does not grow with the length of the video.
"""
from __future__ import annotations

import atexit
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar
from weakref import WeakSet

Item = TypeVar("Item")
_END = object()
SECONDS_BETWEEN_CHECKS = 0.1
SECONDS_TO_END = 10.0

_running: WeakSet[BackgroundSource | BackgroundSink] = WeakSet()


@atexit.register
def _end_all() -> None:
    """At exit, end the threads of objects that were not closed, for example because of SIGTERM during their construction.

    A thread that is inside OpenCV when the interpreter exits aborts the process (SIGABRT).
    """
    for each in list(_running):
        each.end()


class BackgroundSource(Generic[Item]):
    """Iterates in a separate thread; its errors are raised in the consumer.

    Args:
        items: what to read ahead.
        ahead: how many items may be waiting.
        latest_seconds: for live sources, which do not wait: when no more may be waiting, those that have waited longer than this
            are dropped. None: nothing is dropped, and the reader waits.

    Attributes:
        dropped: how many items were dropped.
    """

    def __init__(self, items: Iterable[Item], ahead: int = 4, latest_seconds: float | None = None) -> None:
        self._items = items
        self._latest_seconds = latest_seconds
        self.dropped = 0
        self._queue: queue.Queue = queue.Queue(maxsize=ahead)
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="ppdet-reader", daemon=True)
        _running.add(self)
        self._thread.start()

    def _run(self) -> None:
        try:
            for item in self._items:
                if not self._put(item):
                    return
        except BaseException as error:  # raised by the consumer
            self._error = error
        self._put(_END)

    def _put(self, item: object) -> bool:
        while not self._stop.is_set():
            try:
                self._queue.put((time.monotonic(), item), timeout=self._patience())
                return True
            except queue.Full:
                self._drop_oldest()
        return False

    def _patience(self) -> float:
        """Seconds until a full queue is checked again."""
        return SECONDS_BETWEEN_CHECKS if self._latest_seconds is None else min(SECONDS_BETWEEN_CHECKS, self._latest_seconds / 4)

    def _drop_oldest(self) -> None:
        if self._latest_seconds is None:
            return
        with self._queue.mutex:
            waiting = self._queue.queue
            if waiting and waiting[0][1] is not _END and time.monotonic() - waiting[0][0] > self._latest_seconds:
                waiting.popleft()
                self.dropped += 1
                self._queue.not_full.notify()

    def __iter__(self) -> Iterator[Item]:
        while True:
            _, item = self._queue.get()
            if item is _END:
                break
            yield item
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Stop reading and wait for the thread."""
        self._stop.set()
        self._thread.join()

    def end(self) -> None:
        """Like `close`, for the end of the process: waits for a limited time, and accepts a thread that never started."""
        self._stop.set()
        _join_started(self._thread)


class BackgroundSink(Generic[Item]):
    """Passes items in order to a function in a separate thread; its errors are raised by the next `put` or `close`.

    Args:
        consume: called once with each item.
        ahead: how many items may be waiting.
    """

    def __init__(self, consume: Callable[[Item], None], ahead: int = 4) -> None:
        self._consume = consume
        self._queue: queue.Queue = queue.Queue(maxsize=ahead)
        self._error: BaseException | None = None
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="ppdet-writer", daemon=True)
        _running.add(self)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended:
            try:
                item = self._queue.get(timeout=SECONDS_BETWEEN_CHECKS)
            except queue.Empty:
                continue
            if item is _END:
                return
            if self._error is None:
                try:
                    self._consume(item)
                except BaseException as error:  # kept for the producer; later items are dropped so that it does not block
                    self._error = error

    def put(self, item: Item) -> None:
        """Add an item; waits while the queue is full."""
        if self._error is not None:
            raise self._error
        self._queue.put(item)

    def close(self) -> None:
        """Wait until all items are consumed; raise the thread's error, if any."""
        self._queue.put(_END)
        self._thread.join()
        if self._error is not None:
            raise self._error

    def abandon(self) -> None:
        """Stop after the waiting items, without raising errors."""
        self._queue.put(_END)
        self._thread.join()

    def end(self) -> None:
        """For the end of the process: drop waiting items."""
        self._ended = True
        _join_started(self._thread)


def _join_started(thread: threading.Thread) -> None:
    if thread.is_alive():
        thread.join(SECONDS_TO_END)
