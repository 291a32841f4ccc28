"""Captures what a library prints to the file descriptors, and shows it only on failure."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from typing import Iterator

from ppdet.core.errors import ExportError

LINES_SHOWN = 15


@contextlib.contextmanager
def quiet_output(what: str) -> Iterator[None]:
    """Redirect the file descriptors 1 and 2 within the block.

    Raises:
        ExportError: the block raised an exception; the message contains it and the end of the output.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(descriptor) for descriptor in (1, 2)]
    failure: Exception | None = None
    with tempfile.TemporaryFile() as held:
        try:
            for descriptor in (1, 2):
                os.dup2(held.fileno(), descriptor)
            try:
                yield
            except Exception as error:  # reported below, with what was printed
                failure = error
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            for descriptor, copy in zip((1, 2), saved):
                os.dup2(copy, descriptor)
                os.close(copy)
        if failure is not None:
            held.seek(0)
            printed = held.read().decode(errors="replace").strip().splitlines()[-LINES_SHOWN:]
            said = "".join(f"\n  {line}" for line in printed)
            raise ExportError(f"{what} failed: {type(failure).__name__}: {failure}{said}") from failure
