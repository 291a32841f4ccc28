"""A pool of objects that only one thread may use at a time."""
from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Item = TypeVar("Item")


class InstancePool(Generic[Item]):
    """Lends each caller an instance that no other thread uses at that moment.

    There are as many instances as simultaneous callers, not as threads: a server may start a thread per request.

    Args:
        first: an existing instance.
        make: creates another instance; never called by two threads at once.
    """

    def __init__(self, first: Item, make: Callable[[], Item]) -> None:
        self._idle = [first]
        self._make = make
        self._lock = threading.Lock()

    @contextmanager
    def lend(self) -> Iterator[Item]:
        """Lend an instance for the duration of the block."""
        with self._lock:
            item = self._idle.pop() if self._idle else self._make()
        try:
            yield item
        finally:
            with self._lock:
                self._idle.append(item)
