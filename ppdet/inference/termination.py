"""Ends a command on SIGTERM as Ctrl-C does: files are closed, half ones removed."""
from __future__ import annotations

import functools
import signal
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

TERMINATED = 143  # 128 + SIGTERM, as shells count
Argument = TypeVar("Argument")


class Terminated(KeyboardInterrupt):
    """SIGTERM has come; whoever tidies up after Ctrl-C does so after this."""


def ends_tidily(run: Callable[[Argument], int]) -> Callable[[Argument], int]:
    """Decorate a command's work so that SIGTERM unwinds it like Ctrl-C and makes its exit status 143.

    Outside the main thread, where Python has no signals, the work runs as it is.
    """

    @functools.wraps(run)
    def tidy(argument: Argument) -> int:
        if threading.current_thread() is not threading.main_thread():
            return run(argument)
        before = signal.signal(signal.SIGTERM, _raise)
        try:
            return run(argument)
        except Terminated:
            print("terminated", file=sys.stderr)
            return TERMINATED
        finally:
            signal.signal(signal.SIGTERM, before if before is not None else signal.SIG_DFL)

    return tidy


def _raise(number: int, frame: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not cut the tidying short
    raise Terminated
