"""Shows the progress of long work: a bar on a terminal, otherwise a log line every few seconds."""
from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ppdet.core.logger import get_logger
from ppdet.core.quantity import pace

SECONDS_BETWEEN_LINES = 10.0


_listener: Callable[[], None] | None = None


@contextmanager
def quiet_progress(on_step: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Show no progress within the block, in any thread: several workers would write over each other.

    Args:
        on_step: called at each step instead.
    """
    global _listener
    before, _listener = _listener, on_step
    try:
        yield
    finally:
        _listener = before


class Progress:
    """Counts finished work.

    Args:
        label: name of the work.
        total: amount of work, or None if it is unknown.
        unit: what is counted.
    """

    def __init__(self, label: str, total: int | None = None, unit: str = "frame") -> None:
        self.label, self.total, self.unit = label, total, unit
        self.done = 0
        self._start = self._last_line = time.perf_counter()
        self._listener = _listener
        self._bar = None if _listener else _terminal_bar(label, total, unit)

    def step(self, count: int = 1) -> None:
        """Record finished work."""
        self.done += count
        if self._listener is not None:
            self._listener()
            return
        if self._bar is not None:
            self._bar.update(count)
            return
        now = time.perf_counter()
        if now - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = now
            of_total = f"/{self.total}" if self.total else ""
            speed = pace(self.done, now - self._start)
            get_logger(__name__).info("%s: %d%s %ss, %s", self.label, self.done, of_total, self.unit, speed)

    def clear(self) -> None:
        """Wipe the bar off the terminal before a line is printed; the next step draws it again."""
        if self._bar is not None:
            self._bar.clear()

    def close(self) -> None:
        """Finish the bar."""
        if self._bar is not None:
            self._bar.close()


def _terminal_bar(label: str, total: int | None, unit: str) -> Any:
    """A tqdm bar, or None without a terminal or without tqdm."""
    if not sys.stderr.isatty():
        return None
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm(total=total, desc=label, unit=unit, leave=False)
