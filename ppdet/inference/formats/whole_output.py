"""Output that is written piece by piece and appears whole or not at all."""
from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from ppdet.core.command import is_interrupt
from ppdet.core.errors import MediaError
from ppdet.core.files import atomic_path
from ppdet.core.logger import get_logger

if TYPE_CHECKING:
    from typing_extensions import Self


class CannotWriteError(MediaError):
    """A result cannot be written: the disk is full, or the folder is not writable."""


class WholeOutput(ABC):
    """A file that is written under a temporary name; it gets its own when the block ends without an error.

    If the block is interrupted (Ctrl-C, SIGTERM), the file holds the entries so far. After any other error nothing is left, and
    an older file of that name stays as it was.

    Args:
        path: the file.

    Attributes:
        count: number of entries so far.

    Raises:
        CannotWriteError: the file cannot be written; possible at any point, since the disk may fill up.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.count = 0
        self._stack = ExitStack()

    @abstractmethod
    def _open(self, temporary: Path) -> None:
        """Start writing to `temporary`; what has to be closed is put on `self._stack`."""

    def _finish(self) -> None:  # noqa: B027
        """Write what comes after the last entry, and everything that is still in memory."""

    def _temporary(self) -> AbstractContextManager[Path]:
        """The temporary place, renamed at the end of the block."""
        return atomic_path(self.path)

    def __enter__(self) -> Self:
        try:
            self._open(self._stack.enter_context(self._temporary()))
        except OSError as error:
            raise self._abandoned(error) from error
        except BaseException as error:
            self._stack.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        if self.count and is_interrupt(kind):
            get_logger(__name__).warning("interrupted: %s holds the %d entries written so far", self.path, self.count)
            kind = error = trace = None
        try:
            if kind is None:
                self._finish()
        except OSError as failure:
            raise self._abandoned(failure) from failure
        except BaseException as failure:
            self._stack.__exit__(type(failure), failure, failure.__traceback__)
            raise
        try:
            return self._stack.__exit__(kind, error, trace)
        except OSError as failure:
            if kind is not None:
                return None  # report the first error
            raise self._failed(failure) from failure

    def _abandoned(self, failure: OSError) -> CannotWriteError:
        """Remove the temporary file and return the error to raise."""
        reason = self._failed(failure)
        with suppress(OSError):  # the rest of a buffer cannot be written on closing either
            self._stack.__exit__(CannotWriteError, reason, failure.__traceback__)
        return reason

    def _failed(self, error: OSError) -> CannotWriteError:
        reason = error.strerror or error
        failure = CannotWriteError(f"cannot write {self.path}: {reason}; free some space or choose another --output_dir")
        failure.__cause__ = error
        return failure
