"""Writes a JSON list entry by entry."""
from __future__ import annotations

import json
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from ppdet.core.command import is_interrupt
from ppdet.core.errors import MediaError
from ppdet.core.files import atomic_write
from ppdet.core.logger import get_logger


class JsonListWriter:
    """A JSON list that is written entry by entry; the complete file appears when the block ends without an error.

    If the block is interrupted (Ctrl-C, SIGTERM), the file contains the entries so far.

    Args:
        path: the file.

    Raises:
        MediaError: the file cannot be written; possible at any point, since the disk may fill up.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.count = 0
        self._stack = ExitStack()

    def __enter__(self) -> JsonListWriter:
        try:
            self._stream = self._stack.enter_context(atomic_write(self.path, "w"))
            self._stream.write("[")
        except OSError as error:
            raise self._failed(error) from error
        return self

    def append(self, entry: Any) -> None:
        """Write one entry."""
        try:
            self._stream.write(",\n" if self.count else "\n")
            self._stream.write(json.dumps(entry, ensure_ascii=False))
        except OSError as error:
            raise self._failed(error) from error
        self.count += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        if self.count and is_interrupt(kind):
            get_logger(__name__).warning("interrupted: %s holds the %d entries written so far", self.path, self.count)
            kind = error = trace = None
        try:
            if kind is None:
                self._stream.write("\n]\n")
                self._stream.flush()
        except OSError as failure:
            # The rest of the buffer cannot be written on closing either; the temporary file is still removed.
            reason = self._failed(failure)
            with suppress(OSError):
                self._stack.__exit__(MediaError, reason, failure.__traceback__)
            raise reason from failure
        try:
            return self._stack.__exit__(kind, error, trace)
        except OSError as failure:
            if kind is not None:
                return None  # report the first error
            raise self._failed(failure) from failure

    def _failed(self, error: OSError) -> MediaError:
        return MediaError(f"cannot write {self.path}: {error.strerror or error}; free some space or choose another --output_dir")
