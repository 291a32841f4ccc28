"""What every command does around its own work."""

from __future__ import annotations

import os
import sys
from typing import Callable

from ppdet.core.errors import PpdetError
from ppdet.core.paddle_process import prepare_for_paddle

USER_ERROR = 2
INTERRUPTED = 130


def run_command(main: Callable[[], int | None]) -> int:
    """Run `main` and turn its end into an exit status.

    A `PpdetError` becomes ``error: ...`` on stderr and status 2, Ctrl-C status 130, a reader that closed the pipe
    (``| head``) a quiet 0. Anything else is a fault of ours and keeps its traceback.

    Returns:
        what `main` returned, 0 for None.
    """
    prepare_for_paddle()
    try:
        return main() or 0
    except PpdetError as error:
        sys.stdout.flush()
        print(f"error: {error}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Python flushes stdout once more at exit; give it somewhere to write so that it stays quiet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
