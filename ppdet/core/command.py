"""What all commands share: errors and signals become exit statuses."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable

from ppdet.core.errors import PpdetError
from ppdet.core.paddle_process import prepare_for_paddle

USER_ERROR = 2
INTERRUPTED = 130
TERMINATED = 143


class Terminated(BaseException):
    """SIGTERM as an exception, so that half-written files and worker processes are cleaned up."""


def is_interrupt(kind: type[BaseException] | None) -> bool:
    """Whether an exception is an interruption by the user: Ctrl-C or SIGTERM."""
    return kind is not None and issubclass(kind, (KeyboardInterrupt, Terminated))


def run_command(main: Callable[[], int | None]) -> int:
    """Run `main` and return its exit status.

    A `PpdetError` becomes ``error: ...`` on stderr and status 2, Ctrl-C status 130, SIGTERM status 143 (training handles both
    itself once it iterates), a closed pipe (``| head``) status 0. Any other exception is a bug and keeps its traceback.

    Returns:
        what `main` returned; 0 for None.
    """
    prepare_for_paddle()
    try:
        with _sigterm_raises():
            return main() or 0
    except PpdetError as error:
        sys.stdout.flush()
        print(f"error: {error}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except Terminated:
        print("terminated (SIGTERM)", file=sys.stderr)
        return TERMINATED
    except BrokenPipeError:
        # Python flushes stdout once more at exit, which would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    """Inside the block the first SIGTERM raises `Terminated` in this process. An existing handler is kept."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    owner = os.getpid()

    def end(number: int, frame: Any) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if os.getpid() != owner:  # a forked worker that inherited this handler
            os.kill(os.getpid(), signal.SIGTERM)
            return
        raise Terminated

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
