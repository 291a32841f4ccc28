"""Lends objects that only one thread may use at a time."""
from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Item = TypeVar("Item")


class InstancePool(Generic[Item]):
    """Gives each caller an instance that nobody else uses at that moment.

    As many instances are made as callers meet at most, however many threads come and go (a server may start a thread per
    request, so an instance per thread would be made for every request).

    Args:
        first: an instance that is there already.
        make: makes a further one; never called by two threads at once.
    """

    def __init__(self, first: Item, make: Callable[[], Item]) -> None:
        self._idle = [first]
        self._make = make
        self._lock = threading.Lock()

    @contextmanager
    def lend(self) -> Iterator[Item]:
        """An instance for the block."""
        with self._lock:
            item = self._idle.pop() if self._idle else self._make()
        try:
            yield item
        finally:
            with self._lock:
                self._idle.append(item)
