"""What every command does around its own work."""

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
    """SIGTERM, as an exception: files that are half written and worker processes are cleaned up on the way out."""


def is_interrupt(kind: type[BaseException] | None) -> bool:
    """Whether an exception is the user's wish to stop: Ctrl-C or SIGTERM."""
    return kind is not None and issubclass(kind, (KeyboardInterrupt, Terminated))


def run_command(main: Callable[[], int | None]) -> int:
    """Run `main` and turn its end into an exit status.

    A `PpdetError` becomes ``error: ...`` on stderr and status 2, Ctrl-C status 130, SIGTERM status 143 (training has its
    own way with these two once it iterates), a reader that closed the pipe (``| head``) a quiet 0. Anything else is a
    fault of ours and keeps its traceback.

    Returns:
        what `main` returned, 0 for None.
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
        # Python flushes stdout once more at exit; give it somewhere to write so that it stays quiet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    """Within, the first SIGTERM raises `Terminated` in this process; a handler that is there already is left alone."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    owner = os.getpid()

    def end(number: int, frame: Any) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if os.getpid() != owner:  # a forked worker that inherited this: end as it would have
            os.kill(os.getpid(), signal.SIGTERM)
            return
        raise Terminated

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
